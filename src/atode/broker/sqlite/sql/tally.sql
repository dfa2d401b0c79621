-- Count attempts of a queue's day.
-- 1 queue   2 day   3 succeeded   4 failed
INSERT INTO tallies (queue, day, succeeded, failed) VALUES (?1, ?2, ?3, ?4)
ON CONFLICT (queue, day) DO UPDATE SET
    succeeded = succeeded + excluded.succeeded,
    failed = failed + excluded.failed;
