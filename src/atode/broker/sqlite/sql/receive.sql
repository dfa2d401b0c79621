-- Store jobs that come from another store; the row of values is repeated.
INSERT INTO jobs (
    seq, position, queue, id, task, payload, state, due, max_retry, retried, timeout,
    deadline, retention, headers, error, last_failed_at, completed_at, result, unique_text,
    pending_since, archived_at, group_name
)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?);
