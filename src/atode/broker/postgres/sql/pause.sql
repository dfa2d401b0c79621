-- Let nothing more be claimed from a queue; a row if that is new.
-- 1 queue
INSERT INTO {schema}.job_paused (queue) VALUES ($1)
ON CONFLICT (queue) DO NOTHING
RETURNING 1;
