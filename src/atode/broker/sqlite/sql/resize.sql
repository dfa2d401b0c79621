-- Wish a living worker to be of another size.
-- 1 worker   2 now   3 the wish as JSON
UPDATE workers SET body = json_set(body, '$.wish', json(?3))
WHERE worker = ?1 AND expires > ?2;
