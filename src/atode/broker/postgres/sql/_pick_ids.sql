    SELECT jobs.ctid AS place, array_position($3::uuid[], jobs.id) AS rank
    FROM {schema}.jobs
    WHERE jobs.queue = $2 AND jobs.id = ANY ($3::uuid[]) AND jobs.state IN ({states})
    FOR NO KEY UPDATE OF jobs SKIP LOCKED
