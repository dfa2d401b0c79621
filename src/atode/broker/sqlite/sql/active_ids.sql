-- The ids of a queue's active jobs, as a JSON array.
-- 1 queue
SELECT json_group_array(id) FROM jobs INDEXED BY jobs_active
WHERE queue = ?1 AND state = 'active';
