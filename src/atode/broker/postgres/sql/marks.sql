-- The running jobs of queues that were cancelled, each with the number of its cancellation.
-- 1 queues
SELECT jobs.cancelled, jobs.id, jobs.name, jobs.queue FROM {schema}.jobs
WHERE jobs.queue = ANY ($1::text[]) AND jobs.cancelled IS NOT NULL AND jobs.state = 'active';
