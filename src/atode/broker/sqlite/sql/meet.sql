-- Know queues from now on; the row of values is repeated.
INSERT INTO queues (queue)
VALUES (?)
ON CONFLICT (queue) DO NOTHING;
