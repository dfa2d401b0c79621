-- Whether a queue holds any job, and any active one.
-- 1 queue
SELECT
    EXISTS (SELECT FROM {schema}.jobs WHERE queue = $1),
    EXISTS (SELECT FROM {schema}.jobs WHERE queue = $1 AND status = 'processing');
