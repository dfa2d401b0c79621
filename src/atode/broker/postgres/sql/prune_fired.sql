-- Forget what schedules became, but for the newest, and what any became long ago.
-- 1 now, or NULL   2 schedules, each once   3 number to keep   4 seconds that they stay   5 limit
DELETE FROM {schema}.job_fired
WHERE ctid = ANY (ARRAY(
        SELECT surplus.place
        FROM unnest($2::text[]) AS asked (schedule)
        CROSS JOIN LATERAL (
            SELECT fired.ctid AS place FROM {schema}.job_fired AS fired
            WHERE fired.schedule = asked.schedule
            ORDER BY fired.at DESC, fired.id DESC
            OFFSET $3
        ) AS surplus
    ))
    OR ctid = ANY (ARRAY(
        SELECT fired.ctid FROM {schema}.job_fired AS fired
        WHERE fired.at < (SELECT seconds FROM {now} AS now) - $4::double precision
        ORDER BY fired.at
        LIMIT $5
        FOR UPDATE SKIP LOCKED
    ));
