-- Show nothing more of a scheduler.
-- 1 scheduler
DELETE FROM {schema}.job_schedulers WHERE scheduler = $1;
