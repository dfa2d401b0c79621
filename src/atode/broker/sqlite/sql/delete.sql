-- Remove jobs.
-- 1 JSON array of seq
DELETE FROM jobs WHERE seq IN (SELECT value FROM json_each(?1));
