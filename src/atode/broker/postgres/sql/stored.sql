-- Which of these ids a queue holds.
-- 1 queue   2 ids
SELECT jobs.id FROM {schema}.jobs WHERE jobs.queue = $1 AND jobs.id = ANY ($2::uuid[]);
