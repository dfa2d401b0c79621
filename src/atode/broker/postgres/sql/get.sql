-- A job as it is stored.
-- 1 queue   2 id
SELECT
{job}
FROM {schema}.jobs WHERE jobs.queue = $1 AND jobs.id = $2;
