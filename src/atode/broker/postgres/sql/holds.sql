-- Whether a queue holds any job, and any active one.
-- 1 queue
SELECT
    EXISTS (SELECT FROM {schema}.jobs WHERE queue = $1 AND status = 'pending')
    OR EXISTS (SELECT FROM {schema}.jobs WHERE queue = $1 AND status = 'completed')
    OR EXISTS (SELECT FROM {schema}.jobs WHERE queue = $1 AND status = 'failed'),
    EXISTS (SELECT FROM {schema}.jobs WHERE queue = $1 AND status = 'processing');
