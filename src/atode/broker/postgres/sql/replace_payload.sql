-- Give a scheduled job other arguments.
-- 1 queue   2 id   3 body   4 is it JSON
UPDATE {schema}.jobs SET
    body = $3::bytea,
    payload = CASE WHEN $4::boolean THEN convert_from($3::bytea, 'UTF8')::jsonb END
WHERE jobs.queue = $1 AND jobs.id = $2 AND jobs.state = 'scheduled'
RETURNING 1;
