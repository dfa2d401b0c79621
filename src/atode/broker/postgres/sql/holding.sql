-- The tickets of the claims that hold their job, whoever is at it just now.
-- 1 ids   2 tickets   3 workers
SELECT jobs.ticket FROM {schema}.jobs
WHERE jobs.id = ANY ($1::uuid[]) AND jobs.ticket = ANY ($2::bigint[])
    AND jobs.worker = ANY ($3::text[]) AND jobs.state = 'active';
