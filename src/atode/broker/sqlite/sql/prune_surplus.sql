-- Delete archived jobs beyond the newest so many.
-- 1 queue   2 how many stay   3 limit
DELETE FROM jobs WHERE seq IN (
    SELECT seq FROM jobs INDEXED BY jobs_archived
    WHERE queue = ?1 AND state = 'archived'
    ORDER BY archived_at DESC, seq DESC
    LIMIT ?3 OFFSET ?2
);
