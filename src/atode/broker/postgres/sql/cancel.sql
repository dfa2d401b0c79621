-- Archive jobs that wait in a state, as cancelled.
-- 1 now, or NULL   2 queue   3 limit
-- Returns how many it were.
WITH chosen AS MATERIALIZED (
{chosen}
),
moved AS (
    UPDATE {schema}.jobs SET
        state = 'archived',
        turn = now.seconds,
        error = '{cancelled}',
        last_failed_at = to_timestamp(now.seconds),
        updated_at = to_timestamp(now.seconds)
    FROM {now} AS now
    WHERE jobs.ctid = ANY (ARRAY(SELECT place FROM chosen))
    RETURNING 1
)
SELECT count(*) FROM moved;
