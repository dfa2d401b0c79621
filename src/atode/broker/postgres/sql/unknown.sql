-- How many of the oldest 2,000 archived jobs of a queue no worker knew how to run, by task.
-- 1 queue
SELECT failed.type, count(*)
FROM (
    SELECT jobs.type, jobs.error FROM {schema}.jobs
    WHERE jobs.queue = $1 AND jobs.status = 'failed'
    ORDER BY jobs.turn
    LIMIT 2000
) AS failed
WHERE failed.error LIKE 'No task named %'
GROUP BY failed.type
ORDER BY failed.type;
