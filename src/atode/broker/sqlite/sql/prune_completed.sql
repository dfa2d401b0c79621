-- Delete completed jobs whose retention is over.
-- 1 queue   2 now   3 limit
DELETE FROM jobs WHERE seq IN (
    SELECT seq FROM jobs INDEXED BY jobs_completed
    WHERE queue = ?1 AND state = 'completed' AND completed_at + retention <= ?2
    LIMIT ?3
);
