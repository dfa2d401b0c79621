-- Forget the ticks of a queue's schedules.
-- 1 queue
DELETE FROM ticks WHERE queue = ?1;
