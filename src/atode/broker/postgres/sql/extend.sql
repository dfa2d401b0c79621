-- Hold jobs for longer.
-- 1 now, or NULL   2 ids   3 tickets   4 workers   5 lease
-- Returns the tickets of the claims that hold their job. Passes over those that somebody else's
-- transaction has locked, rather than wait for it. Does not wait for the disk.
WITH free AS MATERIALIZED (
    SELECT jobs.ctid AS place FROM {schema}.jobs
    WHERE {held}
    FOR NO KEY UPDATE OF jobs SKIP LOCKED
)
UPDATE {schema}.jobs SET turn = now.seconds + $5::double precision
FROM {now} AS now
WHERE {hasty} AND jobs.ctid = ANY (ARRAY(SELECT place FROM free))
RETURNING jobs.ticket;
