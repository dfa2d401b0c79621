-- Lock what unique jobs do, in place of locks that have ended; in order, so that two calls
-- cannot wait for each other.
-- 1 now, or NULL   2 batch   3 queues   4 texts   5 ids   6 names   7 due (0: now)   8 seconds after
-- Returns which are locked for these jobs.
INSERT INTO {schema}.job_locks (queue, text, id, name, batch, until)
SELECT
    new.queue, new.text, new.id, new.name, $2::bigint, greatest(now.seconds, new.due) + new.lasting
FROM {now} AS now
CROSS JOIN unnest(
    $3::text[], $4::text[], $5::uuid[], $6::text[], $7::double precision[],
    $8::double precision[]
) AS new (queue, text, id, name, due, lasting)
ORDER BY new.queue COLLATE "C", new.text COLLATE "C"
ON CONFLICT (queue, text) DO UPDATE SET
    id = excluded.id, name = excluded.name, batch = excluded.batch, until = excluded.until
WHERE job_locks.until <= (SELECT seconds FROM {now} AS now)
    OR (job_locks.batch = excluded.batch AND job_locks.id = excluded.id)
RETURNING queue, text;
