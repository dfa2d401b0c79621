-- Forget workers that have been silent for too long.
-- 1 now
DELETE FROM workers WHERE expires <= ?1;
