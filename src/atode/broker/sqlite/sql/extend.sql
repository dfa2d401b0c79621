-- Hold jobs for longer.
-- 1 JSON array of seq   2 lease until
UPDATE jobs SET lease_until = ?2 WHERE seq IN (SELECT value FROM json_each(?1));
