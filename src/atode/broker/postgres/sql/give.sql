-- Jobs in a state that are to leave, in its order; no more once so many bytes are read.
-- 1 now, or NULL   2 queue   3 limit   4 offset   5 bytes
-- Returns since when it waits or is archived, for how many seconds it still holds its lock, and
-- the job. Waits for claims that began before the queue was paused; what they took is not in it.
SELECT
    CASE
        WHEN jobs.state IN ('pending', 'aggregating') THEN date_part('epoch', jobs.updated_at)
        WHEN jobs.state = 'archived' THEN jobs.turn
        ELSE 0.0::double precision
    END,
    coalesce(locks.until - now.seconds, 0.0),
{job}
FROM {now} AS now
CROSS JOIN (
    SELECT
        page.*,
        sum(octet_length(page.body) + coalesce(octet_length(page.result), 0)) OVER (
            ORDER BY page.turn ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        ) AS before
    FROM (
        SELECT jobs.*
        FROM {schema}.jobs
        WHERE jobs.queue = $2 AND jobs.status = '{status}' AND jobs.state = '{state}'
        ORDER BY jobs.turn
        LIMIT $3 OFFSET $4
        FOR NO KEY UPDATE OF jobs
    ) AS page
) AS jobs
LEFT JOIN {schema}.job_locks AS locks
    ON locks.queue = $2 AND locks.text = jobs.unique_text AND locks.id = jobs.id
        AND locks.until > now.seconds
WHERE coalesce(jobs.before, 0) < $5::bigint
ORDER BY jobs.turn;
