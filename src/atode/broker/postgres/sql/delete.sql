-- Delete jobs, and unlock what they have locked.
-- 1 now, or NULL   2 queue   3 ids, or limit
-- Returns how many it were.
WITH chosen AS MATERIALIZED (
{chosen}
),
gone AS (
    DELETE FROM {schema}.jobs
    USING {now} AS now
    WHERE jobs.ctid = ANY (ARRAY(SELECT place FROM chosen))
    RETURNING 1 AS tally, jobs.queue, jobs.id, jobs.unique_text
),
{unlocked}
SELECT count(*) FROM gone;
