-- Show what a scheduler runs.
-- 1 scheduler   2 expires   3 body
INSERT INTO schedulers (scheduler, expires, body) VALUES (?1, ?2, ?3)
ON CONFLICT (scheduler) DO UPDATE SET expires = excluded.expires, body = excluded.body;
