-- The first members of a group, and how large they are.
-- 1 queue   2 group   3 limit
-- Returns a JSON array of [seq, bytes of the payload].
SELECT json_group_array(json_array(seq, bytes)) FROM (
    SELECT seq, length(payload) AS bytes FROM jobs INDEXED BY jobs_grouped
    WHERE queue = ?1 AND group_name = ?2 AND state = 'aggregating'
    ORDER BY position
    LIMIT ?3
);
