-- Forget what a queue did.
-- 1 queue
DELETE FROM tallies WHERE queue = ?1;
