-- Note which jobs are deleted now because they have arrived elsewhere. They may come back, so
-- it is forgotten that they came from there.
-- 1 queue   2 stamp   3 ids
WITH forgotten AS (
    DELETE FROM {schema}.job_received AS received
    WHERE received.queue = $1 AND received.id = ANY ($3::uuid[])
)
UPDATE {schema}.job_moves SET given = $2 WHERE queue = $1;
