-- The ports to ring for a job of a queue; nobody is rung for a pending one while it is paused.
-- 1 kind   2 queue   3 when the job is due (0 for a pending one)
SELECT port FROM listeners
WHERE kind = ?1 AND queue = ?2 AND before > ?3
    AND (?1 <> 'pending' OR NOT EXISTS (SELECT 1 FROM paused WHERE paused.queue = ?2));
