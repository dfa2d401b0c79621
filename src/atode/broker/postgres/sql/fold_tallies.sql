-- Replace the many rows of a queue's days by their sums.
-- 1 queue   2 limit
WITH loose AS (
    DELETE FROM {schema}.job_tallies WHERE ctid = ANY (ARRAY(
        SELECT tallies.ctid FROM {schema}.job_tallies AS tallies
        WHERE tallies.queue = $1
        LIMIT $2
        FOR UPDATE SKIP LOCKED
    ))
    RETURNING queue, day, succeeded, failed
)
INSERT INTO {schema}.job_tallies (queue, day, succeeded, failed)
SELECT queue, day, sum(succeeded), sum(failed) FROM loose GROUP BY queue, day;
