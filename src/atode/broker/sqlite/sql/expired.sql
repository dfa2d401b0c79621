-- Active jobs of a queue whose lease has run out, as one JSON array like that of ready.sql.
-- 1 queue   2 limit   3 now
SELECT CAST(json_group_array(json_array(
    position, seq, id, task, CASE WHEN length(payload) <= 4096 THEN hex(payload) END,
    quote(due), max_retry, retried, quote(timeout), quote(deadline), quote(retention),
    headers, error, quote(last_failed_at), claims, unique_text, group_name
)) AS BLOB)
FROM (
    SELECT * FROM jobs INDEXED BY jobs_active
    WHERE queue = ?1 AND state = 'active' AND lease_until <= ?3
    ORDER BY lease_until
    LIMIT ?2
);
