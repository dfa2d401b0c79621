-- All workers that were seen, living or not.
SELECT worker, expires, body FROM workers ORDER BY worker;
