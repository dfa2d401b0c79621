-- Which of these jobs run, or will run by themselves.
-- 1 queues   2 ids
SELECT jobs.queue, jobs.id
FROM unnest($1::text[], $2::uuid[]) AS asked (queue, id)
JOIN {schema}.jobs AS jobs ON jobs.queue = asked.queue AND jobs.id = asked.id
WHERE jobs.state NOT IN ('completed', 'archived');
