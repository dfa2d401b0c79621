-- Show a worker as living; what size was wished of it stays.
-- 1 worker   2 expires   3 body
INSERT INTO workers (worker, expires, body) VALUES (?1, ?2, ?3)
ON CONFLICT (worker) DO UPDATE SET expires = excluded.expires,
    body = json_set(excluded.body, '$.wish', json_extract(workers.body, '$.wish'));
