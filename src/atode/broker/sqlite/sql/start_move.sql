-- Note who moves a queue.
-- 1 queue   2 mover   3 1 if this store receives, else 0   4 1 if the queue is paused for it, else 0
INSERT INTO moves (queue, mover, receives, pauses) VALUES (?1, ?2, ?3, ?4)
ON CONFLICT (queue) DO UPDATE
SET mover = ?2, receives = max(receives, ?3), pauses = max(pauses, ?4);
