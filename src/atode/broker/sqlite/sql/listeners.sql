-- The ports to ring for a job of a queue.
-- 1 kind   2 queue   3 when the job is due (0 for a pending one)
SELECT port FROM listeners WHERE kind = ?1 AND queue = ?2 AND before > ?3;
