-- Jobs that wait for their next attempt, the earliest first.
-- 1 queue   2 limit   3 offset
-- Returns a JSON array of seq.
SELECT json_group_array(seq) FROM (
    SELECT seq FROM jobs INDEXED BY jobs_retry
    WHERE queue = ?1 AND state = 'retry'
    ORDER BY due, seq
    LIMIT ?2 OFFSET ?3
);
