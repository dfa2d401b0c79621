-- How many jobs of a queue are in each state, counted in the index of each status.
-- 1 queue
SELECT 'pending', count(*) FROM {schema}.jobs
WHERE queue = $1 AND status = 'pending' AND state = 'pending'
UNION ALL
SELECT 'scheduled', count(*) FROM {schema}.jobs
WHERE queue = $1 AND status = 'pending' AND state = 'scheduled'
UNION ALL
SELECT 'retry', count(*) FROM {schema}.jobs
WHERE queue = $1 AND status = 'pending' AND state = 'retry'
UNION ALL
SELECT 'aggregating', count(*) FROM {schema}.jobs
WHERE queue = $1 AND status = 'pending' AND state = 'aggregating'
UNION ALL
SELECT 'active', count(*) FROM {schema}.jobs WHERE queue = $1 AND status = 'processing'
UNION ALL
SELECT 'archived', count(*) FROM {schema}.jobs WHERE queue = $1 AND status = 'failed'
UNION ALL
SELECT 'completed', count(*) FROM {schema}.jobs WHERE queue = $1 AND status = 'completed';
