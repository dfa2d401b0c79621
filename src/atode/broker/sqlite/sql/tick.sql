-- Record a tick in place of the last one.
-- 1 queue   2 schedule   3 at   4 worker   5 what came of it   6 id of its job; NULL: it became none
INSERT INTO ticks (queue, schedule, at, worker, ticked, job_id)
VALUES (?1, ?2, ?3, ?4, ?5, ?6)
ON CONFLICT (queue, schedule) DO UPDATE SET
    at = excluded.at, worker = excluded.worker, ticked = excluded.ticked,
    job_id = coalesce(excluded.job_id, ticks.job_id);
