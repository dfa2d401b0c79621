-- Remove all locks of a queue.
-- 1 queue
DELETE FROM locks WHERE queue = ?1;
