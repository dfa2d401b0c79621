-- Keep jobs as they are until the transaction ends; in order, so that two calls cannot wait for
-- each other.
-- 1 queue   2 ids
-- Returns each id, and the number in line that the job has in its group (NULL: it is in none).
-- A condition on the state would tempt PostgreSQL to read all groups of the queue.
SELECT jobs.id, CASE WHEN jobs.state = 'aggregating' THEN jobs.line END
FROM {schema}.jobs
WHERE jobs.queue = $1 AND jobs.id = ANY ($2::uuid[])
ORDER BY jobs.id
FOR NO KEY UPDATE OF jobs;
