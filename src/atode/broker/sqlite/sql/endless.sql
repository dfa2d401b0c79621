-- How many active jobs of a queue have a lease that no worker can have meant.
-- 1 queue   2 later than this
SELECT count(*) FROM jobs INDEXED BY jobs_active
WHERE queue = ?1 AND state = 'active' AND lease_until > ?2;
