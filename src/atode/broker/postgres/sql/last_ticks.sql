-- The last ticks of schedules that are recorded.
-- 1 queue   2 schedules
SELECT ticks.schedule, ticks.at FROM {schema}.job_ticks AS ticks
WHERE ticks.queue = $1 AND ticks.schedule = ANY ($2::text[]);
