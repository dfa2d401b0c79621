    SELECT jobs.ctid AS place, wanted.number AS rank
    FROM unnest($3::uuid[]) WITH ORDINALITY AS wanted (id, number)
    JOIN {schema}.jobs ON jobs.queue = $2 AND jobs.id = wanted.id
    WHERE jobs.state IN ({states})
    FOR NO KEY UPDATE OF jobs SKIP LOCKED
