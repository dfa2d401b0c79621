-- Whether a queue holds any job, and any active one.
-- 1 queue
SELECT
    EXISTS (SELECT 1 FROM jobs INDEXED BY jobs_by_id WHERE queue = ?1),
    EXISTS (SELECT 1 FROM jobs INDEXED BY jobs_active WHERE queue = ?1 AND state = 'active');
