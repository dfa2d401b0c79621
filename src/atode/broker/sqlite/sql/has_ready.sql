-- Whether a claim on the queue would find something.
-- 1 queue
SELECT EXISTS (
    SELECT 1 FROM jobs INDEXED BY jobs_pending WHERE queue = ?1 AND state = 'pending'
) AND NOT EXISTS (SELECT 1 FROM paused WHERE paused.queue = ?1);
