-- Move jobs into the archive.
-- 1 JSON array of seq   2 now
UPDATE jobs SET state = 'archived', archived_at = ?2
WHERE seq IN (SELECT value FROM json_each(?1));
