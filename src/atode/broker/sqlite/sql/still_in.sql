-- Which of these jobs are in a group.
-- 1 JSON array of seq   2 queue   3 group
-- Returns a JSON array of seq.
SELECT json_group_array(wanted.value)
FROM json_each(?1) AS wanted CROSS JOIN jobs ON jobs.seq = wanted.value
WHERE jobs.queue = ?2 AND jobs.group_name = ?3 AND jobs.state = 'aggregating';
