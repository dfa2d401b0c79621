-- Forget what a schedule became, but for the newest.
-- 1 schedule   2 number to keep
DELETE FROM fired WHERE schedule = ?1 AND (at, job_id) <= (
    SELECT at, job_id FROM fired WHERE schedule = ?1
    ORDER BY at DESC, job_id DESC LIMIT 1 OFFSET ?2
);
