-- Take back locks of jobs that were not stored.
-- 1 batch   2 queues   3 texts
DELETE FROM {schema}.job_locks AS locks
USING unnest($2::text[], $3::text[]) AS wanted (queue, text)
WHERE locks.queue = wanted.queue AND locks.text = wanted.text AND locks.batch = $1::bigint;
