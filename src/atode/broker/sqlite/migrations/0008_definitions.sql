-- Schedules that are defined at run time, and the last job of each schedule.

-- The row without an id has the revision, which grows with every change.
CREATE TABLE definitions (
    id TEXT PRIMARY KEY,
    version INTEGER NOT NULL,
    body TEXT NOT NULL
) WITHOUT ROWID;
INSERT INTO definitions (id, version, body) VALUES ('', 0, '');

-- The job of the last tick that became one.
ALTER TABLE ticks ADD COLUMN job_id TEXT;
