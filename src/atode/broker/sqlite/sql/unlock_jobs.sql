-- Let others do what these stored jobs would have done.
-- 1 JSON array of seq
DELETE FROM locks WHERE rowid IN (
    SELECT locks.rowid FROM json_each(?1) AS gone
    CROSS JOIN jobs ON jobs.seq = gone.value AND jobs.unique_text <> ''
    CROSS JOIN locks
        ON locks.queue = jobs.queue AND locks.text = jobs.unique_text AND locks.id = jobs.id
);
