-- All workers that were seen, living or not.
SELECT worker, expires, body FROM {schema}.job_workers ORDER BY worker;
