-- The first number that has not been given yet, and whether a queue is known.
-- 1 queue
SELECT next, EXISTS (SELECT 1 FROM queues WHERE queue = ?1) FROM numbers;
