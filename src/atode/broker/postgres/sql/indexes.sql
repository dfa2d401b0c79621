-- Our indexes: whether they can be used, their size in bytes, and how many rows are in them.
-- 1 schema
SELECT
    named.relname::text AS name,
    kept.indisvalid AND kept.indisready AS is_valid,
    pg_relation_size(named.oid) AS size,
    greatest(named.reltuples, 0)::bigint AS number
FROM pg_index AS kept
JOIN pg_class AS named ON named.oid = kept.indexrelid
JOIN pg_class AS owner ON owner.oid = kept.indrelid
JOIN pg_namespace AS home ON home.oid = owner.relnamespace
WHERE home.nspname = $1 AND (owner.relname = 'jobs' OR owner.relname LIKE 'job\_%')
ORDER BY named.relname;
