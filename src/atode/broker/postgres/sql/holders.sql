-- The jobs that hold these locks.
-- 1 queues   2 texts
SELECT locks.queue, locks.text, locks.id, locks.name
FROM unnest($1::text[], $2::text[]) AS wanted (queue, text)
JOIN {schema}.job_locks AS locks ON locks.queue = wanted.queue AND locks.text = wanted.text;
