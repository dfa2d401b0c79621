-- Give a scheduled job other arguments.
-- 1 queue   2 id   3 payload
UPDATE jobs INDEXED BY jobs_by_id SET payload = ?3
WHERE queue = ?1 AND id = ?2 AND state = 'scheduled';
