-- Hold one job for longer, once the transaction has ended that has locked it.
-- 1 now, or NULL   2 id   3 ticket   4 worker   5 lease   6 milliseconds to wait at most
-- Of those who wait for a row, the first gets it: so no reaper comes before its worker.
UPDATE {schema}.jobs SET turn = now.seconds + $5::double precision
FROM {now} AS now
WHERE {hasty} AND (SELECT set_config('lock_timeout', $6::text, true)) <> '' AND {held};
