-- How many of the oldest 2,000 archived jobs of a queue no worker knew how to run, by task.
-- 1 queue
SELECT task, count(*)
FROM (
    SELECT task, error FROM jobs INDEXED BY jobs_archived
    WHERE queue = ?1 AND state = 'archived'
    ORDER BY archived_at
    LIMIT 2000
) AS failed
WHERE error LIKE 'No task named %'
GROUP BY task
ORDER BY task;
