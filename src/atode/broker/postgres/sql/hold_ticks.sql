-- Keep everybody else from ticking schedules until this transaction ends: in order, so that two
-- calls cannot wait for each other. Records that are missing are made, as of before all ticks.
-- 1 queues   2 schedules, each pair once
-- Returns the last tick of each, as it is now and not as it was before somebody was waited for.
INSERT INTO {schema}.job_ticks (queue, schedule, at, worker, ticked)
SELECT asked.queue, asked.schedule, '-infinity', '', 'late'
FROM unnest($1::text[], $2::text[]) AS asked (queue, schedule)
ORDER BY asked.queue COLLATE "C", asked.schedule COLLATE "C"
ON CONFLICT (queue, schedule) DO UPDATE SET at = job_ticks.at
RETURNING queue, schedule, at, worker, ticked, job;
