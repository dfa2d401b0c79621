-- Which of these ids have jobs that another call has stored.
-- 1 batch   2 ids
SELECT jobs.queue, jobs.id FROM {schema}.jobs
WHERE jobs.id = ANY ($2::uuid[]) AND jobs.batch IS DISTINCT FROM $1::bigint;
