-- The last tick of a schedule that is recorded, and whether the last job that it became is
-- unfinished.
-- 1 queue   2 schedule
SELECT at, worker, ticked, EXISTS (
    SELECT 1 FROM jobs
    WHERE jobs.queue = ticks.queue AND jobs.id = ticks.job_id
        AND jobs.state NOT IN ('completed', 'archived')
)
FROM ticks WHERE queue = ?1 AND schedule = ?2;
