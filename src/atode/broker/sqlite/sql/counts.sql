-- How many jobs of a queue are in each state, counted in the small index of each.
-- 1 queue
-- Returns one row: pending, scheduled, active, retry, archived, completed, aggregating.
SELECT
    (SELECT count(*) FROM jobs INDEXED BY jobs_pending
        WHERE queue = ?1 AND state = 'pending'),
    (SELECT count(*) FROM jobs INDEXED BY jobs_scheduled
        WHERE queue = ?1 AND state = 'scheduled'),
    (SELECT count(*) FROM jobs INDEXED BY jobs_active
        WHERE queue = ?1 AND state = 'active'),
    (SELECT count(*) FROM jobs INDEXED BY jobs_retry
        WHERE queue = ?1 AND state = 'retry'),
    (SELECT count(*) FROM jobs INDEXED BY jobs_archived
        WHERE queue = ?1 AND state = 'archived'),
    (SELECT count(*) FROM jobs INDEXED BY jobs_completed
        WHERE queue = ?1 AND state = 'completed'),
    (SELECT count(*) FROM jobs INDEXED BY jobs_aggregating
        WHERE queue = ?1 AND state = 'aggregating');
