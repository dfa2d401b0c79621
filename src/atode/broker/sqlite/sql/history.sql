-- What a queue did, by day.
-- 1 queue   2 first day   3 last day
SELECT day, succeeded, failed FROM tallies WHERE queue = ?1 AND day BETWEEN ?2 AND ?3;
