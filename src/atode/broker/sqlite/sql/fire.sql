-- Record a job that a schedule became.
-- 1 schedule   2 at   3 job
INSERT INTO fired (schedule, at, job_id) VALUES (?1, ?2, ?3)
ON CONFLICT (schedule, at, job_id) DO NOTHING;
