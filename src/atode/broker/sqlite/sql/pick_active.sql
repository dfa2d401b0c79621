-- Active jobs, in the order in which they stood in line. There are never many.
-- 1 queue   2 limit   3 offset
-- Returns a JSON array of seq.
SELECT json_group_array(seq) FROM (
    SELECT seq FROM jobs INDEXED BY jobs_active
    WHERE queue = ?1 AND state = 'active'
    ORDER BY position
    LIMIT ?2 OFFSET ?3
);
