-- Forget what schedules became long ago.
-- 1 instant
DELETE FROM fired WHERE at < ?1;
