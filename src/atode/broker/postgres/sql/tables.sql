-- How our tables stand with vacuum.
-- 1 schema
SELECT
    counted.relname::text AS name,
    counted.n_live_tup AS live,
    counted.n_dead_tup AS dead,
    coalesce('autovacuum_enabled=false' = ANY (kept.reloptions), false)
        OR coalesce('autovacuum_enabled=off' = ANY (kept.reloptions), false) AS is_excluded
FROM pg_stat_user_tables AS counted
JOIN pg_class AS kept ON kept.oid = counted.relid
WHERE counted.schemaname = $1 AND (counted.relname = 'jobs' OR counted.relname LIKE 'job\_%')
ORDER BY counted.relname;
