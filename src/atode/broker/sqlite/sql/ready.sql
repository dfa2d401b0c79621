-- The first pending jobs of a queue that is not paused, as one JSON array of arrays.
-- 1 queue   2 limit
-- One row, because each row costs a turn of Python's lock, and with a busy thread beside it
-- such a turn takes 5 ms. quote() writes instants so that they are read back exactly, which
-- SQLite's JSON does not. Large payloads are read one by one.
SELECT CAST(json_group_array(json_array(
    position, seq, id, task, CASE WHEN length(payload) <= 4096 THEN hex(payload) END,
    quote(due), max_retry, retried, quote(timeout), quote(deadline), quote(retention),
    headers, error, quote(last_failed_at), claims, unique_text, group_name
)) AS BLOB)
FROM (
    SELECT * FROM jobs INDEXED BY jobs_pending
    WHERE queue = ?1 AND state = 'pending'
        AND NOT EXISTS (SELECT 1 FROM paused WHERE paused.queue = ?1)
    ORDER BY position
    LIMIT ?2
);
