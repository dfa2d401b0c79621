-- Delete completed jobs whose retention is over.
-- 1 now, or NULL   2 queue   3 limit
DELETE FROM {schema}.jobs WHERE ctid = ANY (ARRAY(
    SELECT jobs.ctid FROM {schema}.jobs
    WHERE jobs.queue = $2 AND jobs.status = 'completed'
        AND jobs.turn <= (SELECT seconds FROM {now} AS now)
    ORDER BY jobs.turn
    LIMIT $3
    FOR UPDATE SKIP LOCKED
))
RETURNING 1;
