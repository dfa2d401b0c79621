-- What living schedulers run.
-- 1 now
SELECT body FROM schedulers WHERE expires > ?1 ORDER BY scheduler;
