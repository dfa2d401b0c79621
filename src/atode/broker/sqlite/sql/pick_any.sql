-- Some jobs of a queue, whatever their state.
-- 1 queue   2 limit
-- Returns a JSON array of seq.
SELECT json_group_array(seq) FROM (
    SELECT seq FROM jobs INDEXED BY jobs_by_id WHERE queue = ?1 LIMIT ?2
);
