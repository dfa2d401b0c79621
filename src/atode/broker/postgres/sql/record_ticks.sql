-- Record ticks in place of the last ones, and the jobs that schedules became.
-- 1 now, or NULL
-- 2 queues   3 schedules   4 instants   5 what came of them   6 worker; each schedule once
-- 10 the job of each, or of the last tick before it that became a job
-- 7 schedules that became jobs   8 the jobs' ids   9 their names
WITH fired AS (
    INSERT INTO {schema}.job_fired (schedule, at, id, name)
    SELECT stored.schedule, now.seconds, stored.id, stored.name
    FROM {now} AS now
    CROSS JOIN unnest($7::text[], $8::uuid[], $9::text[]) AS stored (schedule, id, name)
    ON CONFLICT (schedule, at, id) DO NOTHING
)
UPDATE {schema}.job_ticks AS ticks SET
    at = made.at, worker = $6::text, ticked = made.ticked, job = made.job
FROM unnest($2::text[], $3::text[], $4::double precision[], $5::text[], $10::uuid[])
    AS made (queue, schedule, at, ticked, job)
WHERE ticks.queue = ANY ($2::text[]) AND ticks.schedule = ANY ($3::text[])
    AND ticks.queue = made.queue AND ticks.schedule = made.schedule;
