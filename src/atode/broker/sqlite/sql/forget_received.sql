-- Forget what was received for a queue.
-- 1 queue
DELETE FROM received WHERE queue = ?1;
