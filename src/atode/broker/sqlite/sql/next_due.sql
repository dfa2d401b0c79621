-- The earliest instant for which a job of the queue waits; NULL if none waits.
-- 1 queue
SELECT min(due) FROM (
    SELECT min(due) AS due FROM jobs INDEXED BY jobs_scheduled
    WHERE queue = ?1 AND state = 'scheduled'
    UNION ALL
    SELECT min(due) FROM jobs INDEXED BY jobs_retry
    WHERE queue = ?1 AND state = 'retry'
);
