-- How the move of a queue stands; nobody else takes a turn before the transaction ends. No row if
-- it was never moved.
-- 1 queue
-- Returns who moves it, what was given last, whether this store receives, and whether the queue
-- is paused.
SELECT
    moves.mover, moves.given, moves.receives,
    EXISTS (SELECT FROM {schema}.job_paused AS paused WHERE paused.queue = $1)
FROM {schema}.job_moves AS moves
WHERE moves.queue = $1
FOR NO KEY UPDATE OF moves;
