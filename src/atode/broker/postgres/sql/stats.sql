-- How a queue stands: whether it is paused, since when its next job has waited (NULL if none
-- waits), and how many attempts ended well and badly. No row if nobody knows the queue.
-- 1 queue
SELECT
    EXISTS (SELECT FROM {schema}.job_paused AS paused WHERE paused.queue = $1),
    (
        SELECT date_part('epoch', jobs.updated_at) FROM {schema}.jobs
        WHERE jobs.queue = $1 AND jobs.status = 'pending' AND jobs.state = 'pending'
        ORDER BY jobs.turn
        LIMIT 1
    ),
    (
        SELECT coalesce(sum(tallies.succeeded), 0)::bigint FROM {schema}.job_tallies AS tallies
        WHERE tallies.queue = $1
    ),
    (
        SELECT coalesce(sum(tallies.failed), 0)::bigint FROM {schema}.job_tallies AS tallies
        WHERE tallies.queue = $1
    )
FROM {schema}.job_queues AS known
WHERE known.queue = $1
LIMIT 1;
