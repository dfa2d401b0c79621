-- Remove locks that have ended.
-- 1 now, or NULL   2 queue   3 limit
DELETE FROM {schema}.job_locks WHERE ctid = ANY (ARRAY(
    SELECT locks.ctid FROM {schema}.job_locks AS locks
    WHERE locks.queue = $2 AND locks.until <= (SELECT seconds FROM {now} AS now)
    ORDER BY locks.until
    LIMIT $3
    FOR UPDATE SKIP LOCKED
))
RETURNING 1;
