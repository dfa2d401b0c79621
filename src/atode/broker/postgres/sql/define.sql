-- Store a definition in place of the one that has a version, or remove it, and wake who waits.
-- 1 id   2 version, 0: there is none   3 body; NULL to remove it   4 channel   5 words for it
-- Returns the version that it has now; 0 if it is removed.
WITH renewed AS (
    UPDATE {schema}.job_definitions SET version = version + 1 WHERE id = ''
    RETURNING version
),
removed AS (
    DELETE FROM {schema}.job_definitions
    WHERE $3::text IS NULL AND id = $1 AND version = $2::bigint
),
written AS (
    INSERT INTO {schema}.job_definitions (id, version, body)
    SELECT $1, renewed.version, $3::text FROM renewed WHERE $3::text IS NOT NULL
    ON CONFLICT (id) DO UPDATE SET version = excluded.version, body = excluded.body
    RETURNING version
)
SELECT
    coalesce((SELECT version FROM written), 0),
    (SELECT count(pg_notify($4::text, word)) FROM unnest($5::text[]) AS word)
FROM renewed;
