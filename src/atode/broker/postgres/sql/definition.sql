-- A definition as it is stored.
-- 1 id
SELECT version, body FROM {schema}.job_definitions WHERE id = $1;
