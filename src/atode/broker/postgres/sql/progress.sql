-- Jobs of a queue that nobody sees to: due and not pending, active and without a worker.
-- 1 queue   2 since when, at least
SELECT
    (
        SELECT count(*) FROM {schema}.jobs
        WHERE queue = $1 AND status = 'pending' AND state = 'scheduled' AND turn < $2
    ) + (
        SELECT count(*) FROM {schema}.jobs
        WHERE queue = $1 AND status = 'pending' AND state = 'retry' AND turn < $2
    ),
    (
        SELECT count(*) FROM {schema}.jobs
        WHERE queue = $1 AND status = 'processing' AND turn < $2
    );
