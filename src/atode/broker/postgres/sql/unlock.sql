-- Take back locks of jobs that were not stored.
-- 1 batch   2 queue   3 texts
DELETE FROM {schema}.job_locks AS locks
WHERE locks.queue = $2 AND locks.text = ANY ($3::text[]) AND locks.batch = $1::bigint;
