-- The ids of a queue's active jobs that are marked as cancelled.
-- 1 queue
SELECT id FROM jobs INDEXED BY jobs_cancelled
WHERE queue = ?1 AND state = 'active' AND cancelled_at > 0;
