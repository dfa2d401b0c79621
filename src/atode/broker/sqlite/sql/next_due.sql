-- The earliest instant for which a job of the queue waits.
-- 1 queue
SELECT due FROM jobs INDEXED BY jobs_waiting
WHERE queue = ?1 AND state IN ('scheduled', 'retry')
ORDER BY due
LIMIT 1;
