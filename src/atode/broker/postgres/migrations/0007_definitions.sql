-- Schedules that are defined at run time, and the last job of each schedule.

-- The row without an id has the revision, which grows with every change.
CREATE TABLE {schema}.job_definitions (
    id text COLLATE "C" PRIMARY KEY,
    version bigint NOT NULL,
    body text NOT NULL
);
INSERT INTO {schema}.job_definitions (id, version, body) VALUES ('', 0, '');

-- The job of the last tick that became one; `id` in `jobs`.
ALTER TABLE {schema}.job_ticks ADD COLUMN job uuid;
