-- Put jobs at the end of the line, in the order of the array.
-- 1 JSON array of seq   2 next number   3 now
-- Not when they were due but now: they are not late.
UPDATE jobs SET state = 'pending', position = ?2 + chosen.key, pending_since = ?3, due = 0
FROM json_each(?1) AS chosen
WHERE jobs.seq = chosen.value;
