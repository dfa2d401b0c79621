-- The jobs that hold these locks.
-- 1 queue   2 texts
SELECT locks.text, locks.id, locks.name FROM {schema}.job_locks AS locks
WHERE locks.queue = $1 AND locks.text = ANY ($2::text[]);
