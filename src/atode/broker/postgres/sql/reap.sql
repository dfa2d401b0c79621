-- Take over active jobs whose lease has run out.
-- 1 now, or NULL   2 queue   3 end of lease after which to look   4 limit   5 lease   6 worker
-- Does not wait for the disk: what a crash of the server takes back is pending again, as if
-- the worker had died.
WITH chosen AS MATERIALIZED (
    SELECT jobs.ctid AS place
    FROM {schema}.jobs
    WHERE jobs.queue = $2 AND jobs.status = 'processing'
        AND jobs.turn > $3::double precision AND jobs.turn <= (SELECT seconds FROM {now} AS now)
    ORDER BY jobs.turn
    LIMIT $4
    FOR NO KEY UPDATE OF jobs SKIP LOCKED
)
UPDATE {schema}.jobs SET
    turn = now.seconds + $5::double precision,
    worker = $6::text,
    claims = claims + 1,
    ticket = nextval('{schema}.job_numbers'),
    updated_at = to_timestamp(now.seconds)
FROM {now} AS now
WHERE {hasty} AND jobs.ctid = ANY (ARRAY(SELECT place FROM chosen))
RETURNING
{claimed};
