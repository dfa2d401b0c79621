-- The last tick of a schedule that is recorded.
-- 1 queue   2 schedule
SELECT at, worker, ticked FROM ticks WHERE queue = ?1 AND schedule = ?2;
