-- A job as it is stored.
-- 1 queue   2 id
SELECT
    id, task, queue, payload, state, due, max_retry, retried, timeout, deadline, retention,
    headers, error, last_failed_at, completed_at, result, unique_text, group_name
FROM jobs INDEXED BY jobs_by_id
WHERE queue = ?1 AND id = ?2;
