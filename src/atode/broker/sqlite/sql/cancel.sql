-- Archive jobs that were cancelled while they waited.
-- 1 JSON array of seq   2 now   3 error
UPDATE jobs SET state = 'archived', archived_at = ?2, last_failed_at = ?2, error = ?3
WHERE seq IN (SELECT value FROM json_each(?1));
