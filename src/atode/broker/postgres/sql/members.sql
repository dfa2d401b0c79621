-- The first members of a group, and their numbers in line; no more once so many bytes are read.
-- 1 queue   2 group   3 limit   4 bytes
SELECT
{job},
    jobs.line
FROM (
    SELECT
        jobs.*,
        sum(octet_length(jobs.body)) OVER (
            ORDER BY jobs.turn ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        ) AS before
    FROM {schema}.jobs
    WHERE jobs.queue = $1 AND jobs.group_name = $2 AND jobs.state = 'aggregating'
    ORDER BY jobs.turn
    LIMIT $3
) AS jobs
WHERE coalesce(jobs.before, 0) < $4::bigint
ORDER BY jobs.turn;
