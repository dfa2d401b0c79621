-- Put the first pending jobs of queues that are not paused into a worker's hands.
-- 1 now, or NULL   2 queues   3 numbers in line after which to look   4 limit   5 lease   6 worker
-- Does not wait for the disk: what a crash of the server takes back is pending again, as if
-- the worker had died.
WITH chosen AS MATERIALIZED (
    SELECT ready.place
    FROM (
        SELECT each.queue, each.mark
        FROM unnest($2::text[], $3::double precision[]) WITH ORDINALITY AS each (queue, mark, place)
        WHERE NOT EXISTS (
            SELECT FROM {schema}.job_paused AS paused WHERE paused.queue = each.queue
        )
        -- In order; and by itself, or it would be asked for each job.
        ORDER BY each.place
    ) AS asked
    CROSS JOIN LATERAL (
        SELECT jobs.ctid AS place
        FROM {schema}.jobs
        WHERE jobs.queue = asked.queue AND jobs.status = 'pending' AND jobs.state = 'pending'
            AND jobs.turn > asked.mark
        ORDER BY jobs.turn
        LIMIT $4
        FOR NO KEY UPDATE OF jobs SKIP LOCKED
    ) AS ready
    LIMIT $4
)
UPDATE {schema}.jobs SET
    state = 'active',
    turn = now.seconds + $5::double precision,
    worker = $6::text,
    claims = claims + 1,
    ticket = nextval('{schema}.job_numbers'),
    started_at = to_timestamp(now.seconds),
    updated_at = to_timestamp(now.seconds)
FROM {now} AS now
WHERE {hasty} AND jobs.ctid = ANY (ARRAY(SELECT place FROM chosen))
RETURNING
{claimed};
