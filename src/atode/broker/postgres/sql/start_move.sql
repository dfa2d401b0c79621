-- Note who moves a queue.
-- 1 queue   2 mover   3 does this store receive   4 is the queue paused for it
-- Returns what was given last, and whether the queue is paused for a move only.
INSERT INTO {schema}.job_moves AS moves (queue, mover, receives, pauses)
VALUES ($1, $2, $3, $4)
ON CONFLICT (queue) DO UPDATE SET
    mover = excluded.mover,
    receives = moves.receives OR excluded.receives,
    pauses = moves.pauses OR excluded.pauses
RETURNING moves.given, moves.pauses;
