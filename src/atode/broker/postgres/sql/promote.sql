-- Put what is due at the end of the line, oldest due first, or let it join its group; and wake
-- who waits. A retry has left its group: it has been run alone.
-- 1 now, or NULL   2 queue   3 instant from which to look   4 limit   5 channel   6 words for it
-- Returns how many it were.
WITH scheduled AS MATERIALIZED (
    SELECT jobs.ctid AS place, jobs.turn, jobs.line
    FROM {schema}.jobs
    WHERE jobs.queue = $2 AND jobs.status = 'pending' AND jobs.state = 'scheduled'
        AND jobs.turn >= $3::double precision AND jobs.turn <= (SELECT seconds FROM {now} AS now)
    ORDER BY jobs.turn
    LIMIT $4
    FOR NO KEY UPDATE OF jobs SKIP LOCKED
),
again AS MATERIALIZED (
    SELECT jobs.ctid AS place, jobs.turn, jobs.line
    FROM {schema}.jobs
    WHERE jobs.queue = $2 AND jobs.status = 'pending' AND jobs.state = 'retry'
        AND jobs.turn >= $3::double precision AND jobs.turn <= (SELECT seconds FROM {now} AS now)
    ORDER BY jobs.turn
    LIMIT $4
    FOR NO KEY UPDATE OF jobs SKIP LOCKED
),
numbered AS MATERIALIZED (
    SELECT first.place, nextval('{schema}.job_numbers') AS line
    FROM (
        SELECT place, turn, line FROM scheduled
        UNION ALL
        SELECT place, turn, line FROM again
        ORDER BY turn, line
        LIMIT $4
    ) AS first
),
promoted AS (
    UPDATE {schema}.jobs SET
        state = CASE
            WHEN jobs.group_name IS NOT NULL AND jobs.state = 'scheduled' THEN 'aggregating'
            ELSE 'pending'
        END,
        line = numbered.line,
        turn = numbered.line,
        updated_at = to_timestamp(now.seconds)
    FROM {now} AS now CROSS JOIN numbered
    WHERE jobs.ctid = numbered.place AND jobs.ctid = ANY (ARRAY(SELECT place FROM numbered))
    RETURNING 1
)
SELECT
    (SELECT count(*) FROM promoted),
    (
        SELECT count(pg_notify($5::text, word)) FROM unnest($6::text[]) AS word
        WHERE EXISTS (SELECT FROM numbered)
    );
