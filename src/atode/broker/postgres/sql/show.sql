-- Show what a scheduler runs.
-- 1 now, or NULL   2 scheduler   3 seconds for which it holds   4 body
INSERT INTO {schema}.job_schedulers (scheduler, expires, body)
SELECT $2, now.seconds + $3::double precision, $4 FROM {now} AS now
ON CONFLICT (scheduler) DO UPDATE SET expires = excluded.expires, body = excluded.body;
