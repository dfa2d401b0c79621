-- Delete jobs that were archived long ago.
-- 1 now, or NULL   2 queue   3 limit   4 seconds that they stay
DELETE FROM {schema}.jobs WHERE ctid = ANY (ARRAY(
    SELECT jobs.ctid FROM {schema}.jobs
    WHERE jobs.queue = $2 AND jobs.status = 'failed'
        AND jobs.turn <= (SELECT seconds FROM {now} AS now) - $4::double precision
    ORDER BY jobs.turn
    LIMIT $3
    FOR UPDATE SKIP LOCKED
))
RETURNING 1;
