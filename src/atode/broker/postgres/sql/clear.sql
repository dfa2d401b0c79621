-- Delete some jobs of a queue, whatever their state.
-- 1 queue   2 limit
DELETE FROM {schema}.jobs WHERE ctid = ANY (ARRAY(
    SELECT jobs.ctid FROM {schema}.jobs WHERE jobs.queue = $1 LIMIT $2 FOR UPDATE
))
RETURNING 1;
