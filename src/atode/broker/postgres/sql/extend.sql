-- Hold jobs for longer.
-- 1 now, or NULL   2 ids   3 tickets   4 workers   5 lease
-- Returns the tickets of the claims that hold their job. Does not wait for the disk.
UPDATE {schema}.jobs SET turn = now.seconds + $5::double precision
FROM {now} AS now
WHERE {hasty} AND {held}
RETURNING jobs.ticket;
