-- Forget a queue that holds no jobs: its locks, its tallies, its schedules' ticks, its move
-- and its name.
-- 1 queue
WITH unlocked AS (DELETE FROM {schema}.job_locks WHERE queue = $1),
uncounted AS (DELETE FROM {schema}.job_tallies WHERE queue = $1),
unticked AS (DELETE FROM {schema}.job_ticks WHERE queue = $1),
unmoved AS (DELETE FROM {schema}.job_moves WHERE queue = $1),
unreceived AS (DELETE FROM {schema}.job_received WHERE queue = $1),
resumed AS (DELETE FROM {schema}.job_paused WHERE queue = $1)
DELETE FROM {schema}.job_queues WHERE queue = $1;
