-- Write what an attempt can change in a job; the row of values is repeated.
-- The position stays, so a job that goes back to pending stands where it stood: before all
-- that came after it.
WITH ended (
    seq, state, due, retried, error, last_failed_at, completed_at, result, archived_at
) AS (
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
)
UPDATE jobs SET
    state = ended.state,
    due = ended.due,
    retried = ended.retried,
    error = ended.error,
    last_failed_at = ended.last_failed_at,
    completed_at = ended.completed_at,
    result = ended.result,
    archived_at = ended.archived_at,
    cancelled_at = 0
FROM ended
WHERE jobs.seq = ended.seq;
