-- Which jobs with these ids were stored by a call of this batch.
-- 1 batch   2 ids
SELECT jobs.queue, jobs.id FROM {schema}.jobs
WHERE jobs.id = ANY ($2::uuid[]) AND jobs.batch = $1::bigint;
