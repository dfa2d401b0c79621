-- How a queue stands: whether it is paused, since when its next job has waited (NULL if none
-- waits), and how many attempts ended well and badly. No row if nobody knows the queue.
-- 1 queue
SELECT
    EXISTS (SELECT 1 FROM paused WHERE paused.queue = ?1),
    (
        SELECT pending_since FROM jobs INDEXED BY jobs_pending
        WHERE jobs.queue = ?1 AND state = 'pending'
        ORDER BY position
        LIMIT 1
    ),
    (SELECT coalesce(sum(succeeded), 0) FROM tallies WHERE tallies.queue = ?1),
    (SELECT coalesce(sum(failed), 0) FROM tallies WHERE tallies.queue = ?1)
FROM queues
WHERE queues.queue = ?1;
