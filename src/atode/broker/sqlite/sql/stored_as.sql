-- The number under which a queue holds an id.
-- 1 queue   2 id
SELECT seq FROM jobs INDEXED BY jobs_by_id WHERE queue = ?1 AND id = ?2;
