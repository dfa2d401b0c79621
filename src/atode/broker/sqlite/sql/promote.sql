-- Put what is due at the end of the line, oldest due first, or let it join its group. A retry
-- has left its group: it has been run alone.
-- 1 queue   2 now   3 limit   4 next number
UPDATE jobs SET
    state = CASE
        WHEN jobs.group_name <> '' AND jobs.state = 'scheduled' THEN 'aggregating'
        ELSE 'pending'
    END,
    position = ?4 - 1 + ready.place,
    pending_since = ?2
FROM (
    SELECT seq, row_number() OVER (ORDER BY due, state, seq) AS place
    FROM (
        SELECT * FROM (
            SELECT seq, due, 'scheduled' AS state FROM jobs INDEXED BY jobs_scheduled
            WHERE queue = ?1 AND state = 'scheduled' AND due <= ?2
            ORDER BY due, seq
            LIMIT ?3
        )
        UNION ALL
        SELECT * FROM (
            SELECT seq, due, 'retry' FROM jobs INDEXED BY jobs_retry
            WHERE queue = ?1 AND state = 'retry' AND due <= ?2
            ORDER BY due, seq
            LIMIT ?3
        )
        ORDER BY due, state, seq
        LIMIT ?3
    )
) AS ready
WHERE jobs.seq = ready.seq;
