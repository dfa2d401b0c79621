-- Show a worker as living; what size was wished of it stays, and is returned as JSON, or NULL.
-- 1 now, or NULL   2 worker   3 seconds for which it holds   4 body
INSERT INTO {schema}.job_workers (worker, expires, body)
SELECT $2, now.seconds + $3::double precision, $4 FROM {now} AS now
ON CONFLICT (worker) DO UPDATE SET expires = excluded.expires,
    body = (
        excluded.body::jsonb
        || jsonb_build_object('wish', {schema}.job_workers.body::jsonb -> 'wish')
    )::text
RETURNING body::jsonb ->> 'wish';
