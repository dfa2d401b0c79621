-- Store new jobs, and wake who waits. A job whose queue holds its id is left out, or all fail.
-- 1 now, or NULL   2 batch   3 queues   4 ids   5 names   6 types   7 bodies   8 are they JSON
-- 9 states   10 due (0: now)   11 max_retry   12 timeout   13 deadline   14 retention   15 headers
-- 16 unique texts   17 groups   18 the different queues   19 channel   20 words for it
-- Of values that are the same for all jobs there is only one, and of texts that none has, none.
-- Returns one row: how many were stored; which, if not all; how many were told.
WITH met AS (
    INSERT INTO {schema}.job_queues (queue)
    SELECT used.queue FROM unnest($18::text[]) AS used (queue)
    WHERE NOT EXISTS (SELECT FROM {schema}.job_queues AS known WHERE known.queue = used.queue)
),
stored AS (
    INSERT INTO {schema}.jobs (
        batch, queue, id, name, type, payload, body, state, turn, line, max_retry, timeout,
        deadline, retention, headers, unique_text, group_name, scheduled_at, created_at, updated_at
    )
    SELECT
        $2::bigint, new.queue, new.id, new.name, new.type,
        CASE WHEN new.is_json THEN convert_from(new.body, 'UTF8')::jsonb END, new.body,
        new.state,
        CASE new.state WHEN 'scheduled' THEN new.due ELSE new.line END,
        new.line, new.max_retry, new.timeout, new.deadline, new.retention, new.headers,
        new.unique_text, new.group_name,
        to_timestamp(CASE WHEN new.due > 0 THEN new.due ELSE now.seconds END),
        to_timestamp(now.seconds), to_timestamp(now.seconds)
    FROM {now} AS now
    CROSS JOIN (
        SELECT
            given.id, given.name, given.body, given.headers, given.unique_text,
            given.group_name,
            coalesce(given.queue, ($3::text[])[1]) AS queue,
            coalesce(given.type, ($6::text[])[1]) AS type,
            coalesce(given.is_json, ($8::boolean[])[1]) AS is_json,
            coalesce(given.state, ($9::text[])[1]) AS state,
            coalesce(given.due, ($10::double precision[])[1]) AS due,
            coalesce(given.max_retry, ($11::integer[])[1]) AS max_retry,
            coalesce(given.timeout, ($12::double precision[])[1]) AS timeout,
            coalesce(given.deadline, ($13::double precision[])[1]) AS deadline,
            coalesce(given.retention, ($14::double precision[])[1]) AS retention,
            nextval('{schema}.job_numbers') AS line
        FROM unnest(
            $3::text[], $4::uuid[], $5::text[], $6::text[], $7::bytea[], $8::boolean[],
            $9::text[], $10::double precision[], $11::integer[], $12::double precision[],
            $13::double precision[], $14::double precision[], $15::text[], $16::text[],
            $17::text[]
        ) AS given (
            queue, id, name, type, body, is_json, state, due, max_retry, timeout, deadline,
            retention, headers, unique_text, group_name
        )
    ) AS new
    {taken}
    RETURNING queue, id
)
SELECT
    number,
    CASE WHEN number < cardinality($4::uuid[]) THEN (SELECT array_agg(queue) FROM stored) END,
    CASE WHEN number < cardinality($4::uuid[]) THEN (SELECT array_agg(id::text) FROM stored) END,
    (SELECT count(pg_notify($19::text, word)) FROM unnest($20::text[]) AS word)
FROM (SELECT count(*) AS number FROM stored) AS counted;
