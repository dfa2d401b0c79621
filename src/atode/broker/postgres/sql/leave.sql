-- Forget a worker.
-- 1 worker
DELETE FROM {schema}.job_workers WHERE worker = $1;
