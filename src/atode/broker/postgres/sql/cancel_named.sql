-- Cancel jobs: archive those that wait, mark those that run, and tell their workers.
-- 1 now, or NULL   2 queue   3 ids   4 channel   5 words for it
-- Returns how many it were. Waits for whoever is just claiming or settling one of them, and
-- goes by what has become of it: a job that was skipped would run.
WITH moved AS (
    UPDATE {schema}.jobs SET
        state = CASE jobs.state WHEN 'active' THEN 'active' ELSE 'archived' END,
        turn = CASE jobs.state WHEN 'active' THEN jobs.turn ELSE now.seconds END,
        error = CASE jobs.state WHEN 'active' THEN jobs.error ELSE '{cancelled}' END,
        last_failed_at = CASE jobs.state
            WHEN 'active' THEN jobs.last_failed_at
            ELSE to_timestamp(now.seconds)
        END,
        cancelled = CASE jobs.state WHEN 'active' THEN nextval('{schema}.job_numbers') END,
        updated_at = to_timestamp(now.seconds)
    FROM {now} AS now
    WHERE jobs.queue = $2 AND jobs.id = ANY ($3::uuid[]) AND jobs.state IN ({states})
    RETURNING jobs.state
)
SELECT
    (SELECT count(*) FROM moved),
    (
        SELECT count(pg_notify($4::text, word)) FROM unnest($5::text[]) AS word
        WHERE EXISTS (SELECT FROM moved WHERE moved.state = 'active')
    );
