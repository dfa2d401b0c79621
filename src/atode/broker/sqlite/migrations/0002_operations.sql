-- Unique jobs, and what operators see and do.

-- What a unique job does, '' for others; when it came into the archive; since when it stands
-- in line (0: nobody knows).
ALTER TABLE jobs ADD COLUMN unique_text TEXT NOT NULL DEFAULT '';
ALTER TABLE jobs ADD COLUMN archived_at REAL NOT NULL DEFAULT 0;
ALTER TABLE jobs ADD COLUMN pending_since REAL NOT NULL DEFAULT 0;

-- By failure until now, which a job that is archived by hand need not have.
DROP INDEX jobs_archived;
UPDATE jobs SET archived_at = last_failed_at WHERE state = 'archived';
CREATE INDEX jobs_archived ON jobs (queue, archived_at) WHERE state = 'archived';

-- What no other job of a queue may do until an instant, and the id of the job that does it.
-- Not WITHOUT ROWID: many are found by name and removed by number in one statement.
CREATE TABLE locks (
    queue TEXT NOT NULL,
    text TEXT NOT NULL,
    id TEXT NOT NULL,
    until REAL NOT NULL,
    PRIMARY KEY (queue, text)
);
CREATE INDEX locks_by_end ON locks (queue, until);

-- The queues that were ever used and not removed.
CREATE TABLE queues (queue TEXT PRIMARY KEY) WITHOUT ROWID;
INSERT INTO queues (queue) SELECT queue FROM jobs UNION SELECT queue FROM tallies;

-- One index for each of the two states that wait: whoever asks for the few of one state must
-- not read past the many of the other.
DROP INDEX jobs_waiting;
CREATE INDEX jobs_scheduled ON jobs (queue, due) WHERE state = 'scheduled';
CREATE INDEX jobs_retry ON jobs (queue, due) WHERE state = 'retry';
