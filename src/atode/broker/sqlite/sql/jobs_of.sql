-- Jobs as they are stored, in the order of their numbers in the array.
-- 1 JSON array of seq
SELECT
    jobs.id, task, queue, payload, state, due, max_retry, retried, timeout, deadline, retention,
    headers, error, last_failed_at, completed_at, result, unique_text, group_name
FROM json_each(?1) AS wanted CROSS JOIN jobs ON jobs.seq = wanted.value
ORDER BY wanted.key;
