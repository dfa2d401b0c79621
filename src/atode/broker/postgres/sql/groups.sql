-- The groups of queues.
-- 1 now, or NULL   2 queues
-- Returns for each: the present instant, queue, name, how many members, since when the first and
-- the last wait, and the first one's task.
SELECT
    now.seconds, waiting.queue, waiting.group_name, waiting.members,
    date_part('epoch', waiting.oldest), date_part('epoch', waiting.newest),
    (
        SELECT jobs.type FROM {schema}.jobs
        WHERE jobs.queue = waiting.queue AND jobs.group_name = waiting.group_name
            AND jobs.state = 'aggregating'
        ORDER BY jobs.turn
        LIMIT 1
    )
FROM {now} AS now
CROSS JOIN (
    SELECT
        jobs.queue, jobs.group_name, count(*) AS members, min(jobs.updated_at) AS oldest,
        max(jobs.updated_at) AS newest
    FROM {schema}.jobs
    WHERE jobs.queue = ANY ($2::text[]) AND jobs.state = 'aggregating'
    GROUP BY jobs.queue, jobs.group_name
) AS waiting;
