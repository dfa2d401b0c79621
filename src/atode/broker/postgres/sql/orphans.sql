-- How many of the first 20,000 locks of a queue belong to jobs that are gone, and one of them.
-- 1 queue   2 now
SELECT count(*), min(held.text)
FROM (
    SELECT locks.text, locks.id FROM {schema}.job_locks AS locks
    WHERE locks.queue = $1 AND locks.until > $2
    ORDER BY locks.until
    LIMIT 20000
) AS held
WHERE NOT EXISTS (
    SELECT FROM {schema}.jobs WHERE jobs.id = held.id AND jobs.queue = $1
);
