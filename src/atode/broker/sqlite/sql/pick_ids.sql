-- The jobs with these ids that are in one of these states, in the order of the ids.
-- 1 queue   2 JSON array of ids   3 JSON array of states
-- Returns a JSON array of seq.
SELECT json_group_array(seq) FROM (
    SELECT jobs.seq FROM json_each(?2) AS wanted
    CROSS JOIN jobs INDEXED BY jobs_by_id ON jobs.queue = ?1 AND jobs.id = wanted.value
    WHERE jobs.state IN (SELECT value FROM json_each(?3))
    ORDER BY wanted.key
    LIMIT -1 OFFSET 0
);
