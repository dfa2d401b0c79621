-- Jobs of a queue that nobody sees to: due and not pending, active and without a worker.
-- 1 queue   2 since when, at least
SELECT
    (
        SELECT count(*) FROM jobs INDEXED BY jobs_scheduled
        WHERE queue = ?1 AND state = 'scheduled' AND due < ?2
    ) + (
        SELECT count(*) FROM jobs INDEXED BY jobs_retry
        WHERE queue = ?1 AND state = 'retry' AND due < ?2
    ),
    (
        SELECT count(*) FROM jobs INDEXED BY jobs_active
        WHERE queue = ?1 AND state = 'active' AND lease_until < ?2
    );
