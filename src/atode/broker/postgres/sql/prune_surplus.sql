-- Delete archived jobs beyond the newest so many.
-- 1 queue   2 limit   3 how many stay
DELETE FROM {schema}.jobs WHERE ctid = ANY (ARRAY(
    SELECT jobs.ctid FROM {schema}.jobs
    WHERE jobs.queue = $1 AND jobs.status = 'failed'
    ORDER BY jobs.turn DESC
    LIMIT $2 OFFSET $3
    FOR UPDATE SKIP LOCKED
))
RETURNING 1;
