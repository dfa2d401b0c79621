-- What the server says about itself, and its present instant.
SELECT
    current_setting('server_version_num')::integer AS version,
    pg_is_in_recovery() AS is_standby,
    current_setting('fsync') AS fsync,
    current_setting('synchronous_commit') AS synchronous_commit,
    current_setting('autovacuum') AS autovacuum,
    current_setting('track_counts') AS track_counts,
    current_setting('max_connections')::integer
        - current_setting('superuser_reserved_connections')::integer AS slots,
    (SELECT sum(numbackends)::integer FROM pg_stat_database) AS used,
    date_part('epoch', clock_timestamp()) AS instant;
