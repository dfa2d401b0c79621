-- Jobs in a state, in its order.
-- 1 queue   2 limit   3 offset
SELECT
{job}
FROM {schema}.jobs
WHERE jobs.queue = $1 AND jobs.status = '{status}' AND jobs.state = '{state}'
ORDER BY jobs.{order}
LIMIT $2 OFFSET $3;
