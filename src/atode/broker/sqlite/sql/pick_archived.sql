-- Archived jobs, the oldest first.
-- 1 queue   2 limit   3 offset
-- Returns a JSON array of seq.
SELECT json_group_array(seq) FROM (
    SELECT seq FROM jobs INDEXED BY jobs_archived
    WHERE queue = ?1 AND state = 'archived'
    ORDER BY archived_at, seq
    LIMIT ?2 OFFSET ?3
);
