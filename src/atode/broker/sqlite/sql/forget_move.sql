-- Forget that a queue was being moved, by whomever.
-- 1 queue
DELETE FROM moves WHERE queue = ?1;
