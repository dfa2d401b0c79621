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
    RETURNING jobs.queue, jobs.id, jobs.unique_text
),
unlocked AS (
    DELETE FROM {schema}.job_locks AS locks
    USING gone
    WHERE gone.unique_text IS NOT NULL
        AND locks.queue = gone.queue AND locks.text = gone.unique_text AND locks.id = gone.id
)
SELECT count(*) FROM gone;
