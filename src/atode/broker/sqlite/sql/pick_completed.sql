-- Completed jobs, the first to be pruned first.
-- 1 queue   2 limit   3 offset
-- Returns a JSON array of seq.
SELECT json_group_array(seq) FROM (
    SELECT seq FROM jobs INDEXED BY jobs_completed
    WHERE queue = ?1 AND state = 'completed'
    ORDER BY completed_at + retention, seq
    LIMIT ?2 OFFSET ?3
);
