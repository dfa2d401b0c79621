-- Mark active jobs as cancelled.
-- 1 JSON array of seq   2 now
UPDATE jobs SET cancelled_at = ?2
WHERE seq IN (SELECT value FROM json_each(?1));
