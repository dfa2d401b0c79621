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
{unlocked}
