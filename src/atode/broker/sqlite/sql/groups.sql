-- The groups of a queue, by name.
-- 1 queue
-- Returns for each: name, how many members, since when the first and the last wait, and the
-- first one's task.
SELECT
    group_name, members, oldest, newest,
    (
        SELECT task FROM jobs INDEXED BY jobs_grouped
        WHERE jobs.queue = ?1 AND jobs.group_name = waiting.group_name
            AND state = 'aggregating'
        ORDER BY position
        LIMIT 1
    )
FROM (
    SELECT
        group_name, count(*) AS members, min(pending_since) AS oldest,
        max(pending_since) AS newest
    FROM jobs INDEXED BY jobs_grouped
    WHERE queue = ?1 AND state = 'aggregating'
    GROUP BY group_name
) AS waiting;
