-- Forget that these jobs were received.
-- 1 queue   2 JSON array of ids
DELETE FROM received WHERE queue = ?1 AND id IN (SELECT value FROM json_each(?2));
