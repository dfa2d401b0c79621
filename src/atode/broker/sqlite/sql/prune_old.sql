-- Delete jobs that were archived long ago.
-- 1 queue   2 archived at the latest   3 limit
DELETE FROM jobs WHERE seq IN (
    SELECT seq FROM jobs INDEXED BY jobs_archived
    WHERE queue = ?1 AND state = 'archived' AND archived_at <= ?2
    LIMIT ?3
);
