-- The tickets of those claims that hold a job which was cancelled.
-- 1 ids   2 tickets   3 workers
-- Not IS NOT NULL, which would lead PostgreSQL through all that were cancelled.
SELECT jobs.ticket FROM {schema}.jobs
WHERE jobs.id = ANY ($1::uuid[]) AND jobs.ticket = ANY ($2::bigint[])
    AND jobs.worker = ANY ($3::text[]) AND jobs.state = 'active' AND coalesce(jobs.cancelled, 0) > 0;
