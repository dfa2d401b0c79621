-- Forget workers that have been silent for too long.
-- 1 now, or NULL
DELETE FROM {schema}.job_workers WHERE expires <= (SELECT seconds FROM {now} AS now);
