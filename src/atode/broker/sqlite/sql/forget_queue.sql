-- Forget the name of a queue.
-- 1 queue
DELETE FROM queues WHERE queue = ?1;
