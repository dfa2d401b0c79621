-- Forget a worker.
-- 1 worker
DELETE FROM workers WHERE worker = ?1;
