-- Delete some jobs of a queue, whatever their state, but for active ones.
-- 1 queue   2 limit
DELETE FROM {schema}.jobs
WHERE ctid = ANY (ARRAY(
        SELECT jobs.ctid FROM {schema}.jobs
        WHERE jobs.queue = $1 AND jobs.status = 'pending' LIMIT $2
    ))
    OR ctid = ANY (ARRAY(
        SELECT jobs.ctid FROM {schema}.jobs
        WHERE jobs.queue = $1 AND jobs.status = 'completed' LIMIT $2
    ))
    OR ctid = ANY (ARRAY(
        SELECT jobs.ctid FROM {schema}.jobs
        WHERE jobs.queue = $1 AND jobs.status = 'failed' LIMIT $2
    ))
RETURNING 1;
