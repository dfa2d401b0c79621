-- Record ticks of schedules of which none is recorded.
-- 1 queue   2 schedules   3 instant   4 what came of it
INSERT INTO {schema}.job_ticks (queue, schedule, at, worker, ticked)
SELECT $1, asked.schedule, $3::double precision, '', $4
FROM unnest($2::text[]) AS asked (schedule)
ORDER BY asked.schedule COLLATE "C"
ON CONFLICT (queue, schedule) DO NOTHING;
