-- Let nothing more be claimed from a queue; a row if that is new.
-- 1 queue
INSERT INTO {schema}.job_queues AS known (queue, paused) VALUES ($1, true)
ON CONFLICT (queue) DO UPDATE SET paused = true WHERE NOT known.paused
RETURNING 1;
