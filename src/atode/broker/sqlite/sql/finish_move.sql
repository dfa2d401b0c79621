-- Forget that a queue was being moved.
-- 1 queue   2 mover
DELETE FROM moves WHERE queue = ?1 AND mover = ?2;
