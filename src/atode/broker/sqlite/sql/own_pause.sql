-- Forget that a queue was paused for a move.
-- 1 queue
UPDATE moves SET pauses = 0 WHERE queue = ?1;
