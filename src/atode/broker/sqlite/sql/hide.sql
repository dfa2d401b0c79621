-- Show nothing more of a scheduler.
-- 1 scheduler
DELETE FROM schedulers WHERE scheduler = ?1;
