-- What living schedulers run.
-- 1 now, or NULL
SELECT body FROM {schema}.job_schedulers
WHERE expires > (SELECT seconds FROM {now} AS now) ORDER BY scheduler;
