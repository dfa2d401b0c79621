-- Store jobs as they were in another store, behind those that are here. A job whose id
-- is taken is left out.
-- 1 now, or NULL   2 batch   3 queue   4 ids   5 names   6 types   7 bodies   8 are they JSON
-- 9 states   10 due (0: never delayed)   11 max_retry   12 retried   13 timeout   14 deadline
-- 15 retention   16 headers   17 errors   18 last failed (0: never)   19 completed (0: never)
-- 20 results   21 unique texts   22 groups   23 since when (0: unknown)
-- Who was delayed shows it by having come before. Returns the ids of those that are stored.
WITH met AS (
    INSERT INTO {schema}.job_queues (queue)
    SELECT $3
    WHERE NOT EXISTS (SELECT FROM {schema}.job_queues AS known WHERE known.queue = $3)
)
INSERT INTO {schema}.jobs (
    batch, queue, id, name, type, payload, body, state, turn, line, max_retry, retried, timeout,
    deadline, retention, headers, error, last_failed_at, completed_at, result, unique_text,
    group_name, scheduled_at, started_at, created_at, updated_at
)
SELECT
    $2::bigint, $3, new.id, new.name, new.type,
    CASE WHEN new.is_json THEN convert_from(new.body, 'UTF8')::jsonb END, new.body, new.state,
    CASE
        WHEN new.state IN ('scheduled', 'retry') THEN new.due
        WHEN new.state = 'completed' THEN new.completed + new.retention
        WHEN new.state = 'archived' THEN new.since
        ELSE new.line
    END,
    new.line, new.max_retry, new.retried, new.timeout, new.deadline, new.retention, new.headers,
    new.error,
    CASE WHEN new.failed > 0 THEN to_timestamp(new.failed) END,
    CASE WHEN new.completed > 0 THEN to_timestamp(new.completed) END,
    new.result, new.unique_text, new.group_name,
    CASE WHEN new.due > 0 THEN to_timestamp(new.due) ELSE to_timestamp(new.since) END,
    CASE
        WHEN new.state = 'completed' THEN to_timestamp(new.completed)
        WHEN new.state = 'archived' AND new.failed > 0 AND new.error <> '{cancelled}'
            THEN to_timestamp(new.failed)
    END,
    CASE
        WHEN new.due > 0
            THEN least(to_timestamp(new.since), to_timestamp(new.due) - interval '1 microsecond')
        ELSE to_timestamp(new.since)
    END,
    to_timestamp(new.since)
FROM (
    SELECT
        given.id, given.name, given.type, given.body, given.is_json, given.state, given.due,
        given.max_retry, given.retried, given.timeout, given.deadline, given.retention,
        given.headers, given.error, given.failed, given.completed, given.result,
        given.unique_text, given.group_name,
        CASE WHEN given.since > 0 THEN given.since ELSE now.seconds END AS since,
        nextval('{schema}.job_numbers') AS line
    FROM {now} AS now
    CROSS JOIN unnest(
        $4::uuid[], $5::text[], $6::text[], $7::bytea[], $8::boolean[], $9::text[],
        $10::double precision[], $11::integer[], $12::integer[], $13::double precision[],
        $14::double precision[], $15::double precision[], $16::text[], $17::text[],
        $18::double precision[], $19::double precision[], $20::bytea[], $21::text[],
        $22::text[], $23::double precision[]
    ) AS given (
        id, name, type, body, is_json, state, due, max_retry, retried, timeout, deadline,
        retention, headers, error, failed, completed, result, unique_text, group_name, since
    )
) AS new
ON CONFLICT (id, queue) DO NOTHING
RETURNING id;
