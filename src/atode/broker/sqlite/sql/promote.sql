-- Put what is due at the end of the line, oldest due first.
-- 1 queue   2 now   3 limit   4 next number
UPDATE jobs SET state = 'pending', position = ?4 - 1 + ready.place, pending_since = ?2
FROM (
    SELECT seq, row_number() OVER (ORDER BY due, state, seq) AS place
    FROM (
        SELECT seq, due, state FROM jobs INDEXED BY jobs_waiting
        WHERE queue = ?1 AND state IN ('scheduled', 'retry') AND due <= ?2
        ORDER BY due, state, seq
        LIMIT ?3
    )
) AS ready
WHERE jobs.seq = ready.seq;
