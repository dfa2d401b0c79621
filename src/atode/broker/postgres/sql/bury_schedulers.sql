-- Forget schedulers that have been silent for too long.
-- 1 now, or NULL
DELETE FROM {schema}.job_schedulers WHERE expires <= (SELECT seconds FROM {now} AS now);
