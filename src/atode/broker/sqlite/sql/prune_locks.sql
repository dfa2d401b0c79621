-- Remove locks that have ended.
-- 1 queue   2 now   3 limit
DELETE FROM locks WHERE rowid IN (
    SELECT rowid FROM locks INDEXED BY locks_by_end
    WHERE queue = ?1 AND until <= ?2
    LIMIT ?3
);
