-- Put jobs at the end of the line, in their order, and wake who waits.
-- 1 now, or NULL   2 queue   3 ids, or limit   4 channel   5 words for it
-- Not when they were due but now: they are not late. Returns how many it were.
WITH chosen AS MATERIALIZED (
{chosen}
),
numbered AS MATERIALIZED (
    SELECT ordered.place, nextval('{schema}.job_numbers') AS line
    FROM (SELECT place FROM chosen ORDER BY rank) AS ordered
),
moved AS (
    UPDATE {schema}.jobs SET
        state = 'pending',
        cancelled = NULL,
        scheduled_at = jobs.created_at,
        line = numbered.line,
        turn = numbered.line,
        updated_at = to_timestamp(now.seconds)
    FROM {now} AS now CROSS JOIN numbered
    WHERE jobs.ctid = numbered.place AND jobs.ctid = ANY (ARRAY(SELECT place FROM numbered))
    RETURNING 1
)
SELECT
    (SELECT count(*) FROM moved),
    (
        SELECT count(pg_notify($4::text, word)) FROM unnest($5::text[]) AS word
        WHERE EXISTS (SELECT FROM numbered)
    );
