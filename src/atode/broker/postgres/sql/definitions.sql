-- All definitions by id, first the row that has the revision; nothing if that is the given one.
-- 1 revision, or NULL
SELECT id, version, body FROM {schema}.job_definitions
WHERE NOT EXISTS (
    SELECT FROM {schema}.job_definitions WHERE id = '' AND version = $1::bigint
)
ORDER BY id;
