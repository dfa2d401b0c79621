-- Let nothing more be claimed from a queue.
-- 1 queue
INSERT INTO paused (queue) VALUES (?1) ON CONFLICT (queue) DO NOTHING;
