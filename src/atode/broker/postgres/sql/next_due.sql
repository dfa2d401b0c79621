-- The present instant, and for each queue the earliest one for which a job waits (NULL: none).
-- 1 now, or NULL   2 queues   3 instants from which to look
SELECT now.seconds, asked.queue, least(
    (
        SELECT min(jobs.turn) FROM {schema}.jobs
        WHERE jobs.queue = asked.queue AND jobs.status = 'pending' AND jobs.state = 'scheduled'
            AND jobs.turn >= asked.mark
    ),
    (
        SELECT min(jobs.turn) FROM {schema}.jobs
        WHERE jobs.queue = asked.queue AND jobs.status = 'pending' AND jobs.state = 'retry'
            AND jobs.turn >= asked.mark
    )
)
FROM {now} AS now
CROSS JOIN unnest($2::text[], $3::double precision[]) AS asked (queue, mark);
