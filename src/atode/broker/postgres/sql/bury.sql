-- Forget workers that have been silent for too long; a row for each.
-- 1 now, or NULL
DELETE FROM {schema}.job_workers WHERE expires <= (SELECT seconds FROM {now} AS now)
RETURNING 1;
