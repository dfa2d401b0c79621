-- Whether a claim on one of the queues would find something.
-- 1 queues   2 numbers in line after which to look
SELECT EXISTS (
    SELECT FROM unnest($1::text[], $2::double precision[]) AS asked (queue, mark)
    CROSS JOIN LATERAL (
        SELECT FROM {schema}.jobs
        WHERE jobs.queue = asked.queue AND jobs.status = 'pending' AND jobs.state = 'pending'
            AND jobs.turn > asked.mark
        LIMIT 1
    ) AS ready
    WHERE NOT EXISTS (
        SELECT FROM {schema}.job_paused AS paused WHERE paused.queue = asked.queue
    )
);
