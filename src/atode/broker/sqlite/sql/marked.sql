-- Which of these jobs are marked as cancelled, as a JSON array of seq.
-- 1 JSON array of seq
SELECT json_group_array(seq) FROM jobs
WHERE seq IN (SELECT value FROM json_each(?1)) AND state = 'active' AND cancelled_at > 0;
