-- How many active jobs of a queue have a lease that no worker can have meant.
-- 1 queue   2 later than this
SELECT count(*) FROM {schema}.jobs
WHERE queue = $1 AND status = 'processing' AND turn > $2;
