-- Which of these jobs were stored by a call of this batch.
-- 1 batch   2 queues   3 ids
SELECT jobs.queue, jobs.id
FROM unnest($2::text[], $3::uuid[]) AS wanted (queue, id)
JOIN {schema}.jobs ON jobs.queue = wanted.queue AND jobs.id = wanted.id
WHERE jobs.batch = $1::bigint;
