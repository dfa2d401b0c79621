-- What this role may not do: the right, and on what.
-- 1 schema
SELECT wanted.privilege, format('TABLE %I.%I', home.nspname, kept.relname), current_user::text
FROM pg_class AS kept
JOIN pg_namespace AS home ON home.oid = kept.relnamespace
CROSS JOIN unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) AS wanted (privilege)
WHERE home.nspname = $1 AND kept.relkind = 'r'
    AND (kept.relname = 'jobs' OR kept.relname LIKE 'job\_%')
    AND (kept.relname <> 'job_migrations' OR wanted.privilege = 'SELECT')
    AND NOT has_table_privilege(kept.oid, wanted.privilege)
UNION ALL
SELECT 'USAGE', format('SEQUENCE %I.%I', home.nspname, kept.relname), current_user::text
FROM pg_class AS kept
JOIN pg_namespace AS home ON home.oid = kept.relnamespace
WHERE home.nspname = $1 AND kept.relkind = 'S' AND kept.relname = 'job_numbers'
    AND NOT has_sequence_privilege(kept.oid, 'USAGE')
UNION ALL
SELECT 'USAGE', format('SCHEMA %I', home.nspname), current_user::text
FROM pg_namespace AS home
WHERE home.nspname = $1 AND NOT has_schema_privilege(home.oid, 'USAGE')
ORDER BY 2, 1;
