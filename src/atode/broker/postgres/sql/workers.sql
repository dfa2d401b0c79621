-- The workers that live.
-- 1 now, or NULL
SELECT body FROM {schema}.job_workers
WHERE expires > (SELECT seconds FROM {now} AS now) ORDER BY worker;
