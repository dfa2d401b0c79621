-- Which of these jobs were received already.
-- 1 queue   2 ids
SELECT received.id FROM {schema}.job_received AS received
WHERE received.queue = $1 AND received.id = ANY ($2::uuid[]);
