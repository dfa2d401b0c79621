-- How the move of a queue stands. No row if it is not being moved.
-- 1 queue
SELECT
    mover, given, receives, pauses,
    EXISTS (SELECT 1 FROM paused WHERE paused.queue = ?1)
FROM moves WHERE moves.queue = ?1;
