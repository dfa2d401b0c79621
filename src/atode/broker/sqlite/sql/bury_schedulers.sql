-- Forget schedulers that have been silent for too long.
-- 1 now
DELETE FROM schedulers WHERE expires <= ?1;
