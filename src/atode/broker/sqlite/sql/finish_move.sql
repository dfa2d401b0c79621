-- Forget that a queue was being moved, but not that it is paused for that.
-- 1 queue   2 mover
UPDATE moves SET mover = '', given = '', receives = 0 WHERE queue = ?1 AND mover = ?2;
