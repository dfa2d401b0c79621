-- The jobs that a schedule became, newest first.
-- 1 schedule   2 limit   3 offset
SELECT job_id, at FROM fired WHERE schedule = ?1
ORDER BY at DESC, job_id DESC LIMIT ?2 OFFSET ?3;
