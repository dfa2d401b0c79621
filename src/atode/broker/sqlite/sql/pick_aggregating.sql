-- Jobs that wait in groups, those first that joined first.
-- 1 queue   2 limit   3 offset
-- Returns a JSON array of seq.
SELECT json_group_array(seq) FROM (
    SELECT seq FROM jobs INDEXED BY jobs_aggregating
    WHERE queue = ?1 AND state = 'aggregating'
    ORDER BY position
    LIMIT ?2 OFFSET ?3
);
