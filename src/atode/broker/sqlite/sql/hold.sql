-- Put jobs into a worker's hands.
-- 1 JSON array of seq   2 worker   3 lease until
UPDATE jobs SET state = 'active', worker = ?2, lease_until = ?3, claims = claims + 1
WHERE seq IN (SELECT value FROM json_each(?1));
