-- Record ticks of schedules of which none is recorded; the row of values is repeated.
INSERT INTO ticks (queue, schedule, at, worker, ticked)
VALUES (?, ?, ?, ?, ?)
ON CONFLICT (queue, schedule) DO NOTHING;
