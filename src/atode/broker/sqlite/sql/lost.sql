-- Which of a worker's claims do not hold their job (any more), as a JSON array of seq.
-- 1 JSON array of seq   2 worker   3 claim number
SELECT json_group_array(claim.value)
FROM json_each(?1) AS claim
WHERE NOT EXISTS (
    SELECT 1 FROM jobs
    WHERE seq = claim.value AND state = 'active' AND worker = ?2 AND claims = ?3
);
