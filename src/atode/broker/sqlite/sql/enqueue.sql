-- Store new jobs; the row of values is repeated. A job whose queue holds its id is left out.
INSERT INTO jobs (
    seq, position, queue, id, task, payload, state, due, max_retry, retried, timeout,
    deadline, retention, headers, error, last_failed_at, completed_at, result, unique_text,
    pending_since, group_name
)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (queue, id) DO NOTHING;
