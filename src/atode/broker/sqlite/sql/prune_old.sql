-- Delete archived jobs that failed long ago.
-- 1 queue   2 failed at the latest   3 limit
DELETE FROM jobs WHERE seq IN (
    SELECT seq FROM jobs INDEXED BY jobs_archived
    WHERE queue = ?1 AND state = 'archived' AND last_failed_at <= ?2
    LIMIT ?3
);
