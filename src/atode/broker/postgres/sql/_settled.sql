counted AS (
    INSERT INTO {schema}.job_tallies (queue, day, succeeded, failed)
    SELECT
        gone.queue,
        (to_timestamp((SELECT seconds FROM {now} AS now)) AT TIME ZONE 'UTC')::date,
        count(*) FILTER (WHERE gone.tally > 0),
        count(*) FILTER (WHERE gone.tally < 0)
    FROM gone
    WHERE gone.tally <> 0
    GROUP BY gone.queue
),
unlocked AS (
    DELETE FROM {schema}.job_locks AS locks
    USING gone
    WHERE gone.tally > 0 AND gone.unique_text IS NOT NULL
        AND locks.queue = gone.queue AND locks.text = gone.unique_text AND locks.id = gone.id
)
