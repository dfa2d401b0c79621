-- What keeps vacuum from removing rows that were deleted since then, the oldest first: who, and
-- for how many seconds (NULL: nobody knows).
-- 1 seconds, at least
SELECT held.who, held.age FROM (
    SELECT
        format(
            'session %s of %s (%s, %s)', pid, usename,
            coalesce(nullif(application_name, ''), 'without a name'), state
        ) AS who,
        date_part('epoch', clock_timestamp() - xact_start) AS age
    FROM pg_stat_activity
    -- Of other roles' sessions, only who may read all statistics sees the type and the age.
    WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'
        AND datname = current_database()
        AND (backend_xid IS NOT NULL OR backend_xmin IS NOT NULL)
    UNION ALL
    SELECT
        format('prepared transaction %L of %s', gid, owner),
        date_part('epoch', clock_timestamp() - prepared)
    FROM pg_prepared_xacts
    WHERE database = current_database()
    UNION ALL
    SELECT format('replication slot %s, which nobody reads', slot_name), NULL
    FROM pg_replication_slots
    WHERE NOT active AND (xmin IS NOT NULL OR catalog_xmin IS NOT NULL)
) AS held
WHERE held.age IS NULL OR held.age > $1::double precision
ORDER BY held.age DESC NULLS LAST;
