-- The ids, as they are stored, of the jobs of a queue that run.
-- 1 queue
SELECT jobs.id FROM {schema}.jobs WHERE jobs.queue = $1 AND jobs.status = 'processing';
