-- Which of these jobs are there, and not completed, as a JSON array of seq.
-- 1 JSON array of seq
SELECT json_group_array(seq) FROM jobs
WHERE seq IN (SELECT value FROM json_each(?1)) AND state <> 'completed';
