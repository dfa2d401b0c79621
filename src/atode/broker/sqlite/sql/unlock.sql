-- Let others do what jobs did; the row of values is repeated.
WITH done (queue, text, id) AS (
    VALUES (?, ?, ?)
)
DELETE FROM locks WHERE rowid IN (
    SELECT locks.rowid FROM done CROSS JOIN locks
        ON locks.queue = done.queue AND locks.text = done.text AND locks.id = done.id
);
