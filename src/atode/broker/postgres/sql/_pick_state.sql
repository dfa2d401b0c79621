    SELECT jobs.ctid AS place, jobs.turn AS rank
    FROM {schema}.jobs
    WHERE jobs.queue = $2 AND jobs.status = '{status}' AND jobs.state = '{state}'
    ORDER BY jobs.turn
    LIMIT $3
    FOR NO KEY UPDATE OF jobs SKIP LOCKED
