-- The tables of a new file.

-- One row per stored job. `seq` is never used twice, so it names one stored job for ever, and
-- is what claims carry as their receipt. Instants are Unix seconds.
CREATE TABLE jobs (
    seq INTEGER PRIMARY KEY,
    queue TEXT NOT NULL,
    id TEXT NOT NULL,
    task TEXT NOT NULL,
    payload BLOB NOT NULL,
    state TEXT NOT NULL,
    position INTEGER NOT NULL,
    due REAL NOT NULL,
    max_retry INTEGER NOT NULL,
    retried INTEGER NOT NULL,
    timeout REAL NOT NULL,
    deadline REAL NOT NULL,
    retention REAL NOT NULL,
    headers TEXT NOT NULL,
    error TEXT NOT NULL,
    last_failed_at REAL NOT NULL,
    completed_at REAL NOT NULL,
    result BLOB NOT NULL,
    claims INTEGER NOT NULL DEFAULT 0,
    worker TEXT NOT NULL DEFAULT '',
    lease_until REAL NOT NULL DEFAULT 0
);

CREATE UNIQUE INDEX jobs_by_id ON jobs (queue, id);

-- One small index per state: a job stands in exactly one of them, and none grows with the
-- jobs that are somewhere else.
CREATE INDEX jobs_pending ON jobs (queue, position) WHERE state = 'pending';
CREATE INDEX jobs_active ON jobs (queue, lease_until) WHERE state = 'active';
CREATE INDEX jobs_waiting ON jobs (queue, due, state) WHERE state IN ('scheduled', 'retry');
CREATE INDEX jobs_completed ON jobs (queue, completed_at + retention) WHERE state = 'completed';
CREATE INDEX jobs_archived ON jobs (queue, last_failed_at) WHERE state = 'archived';

-- The next number to give: jobs stand in line by number, and get their `seq` from it.
CREATE TABLE numbers (next INTEGER NOT NULL);
INSERT INTO numbers (next) VALUES (1);

-- Queues from which nothing is claimed for now.
CREATE TABLE paused (queue TEXT PRIMARY KEY) WITHOUT ROWID;

-- How many attempts ended well and badly, per queue and UTC day.
CREATE TABLE tallies (
    queue TEXT NOT NULL,
    day TEXT NOT NULL,
    succeeded INTEGER NOT NULL,
    failed INTEGER NOT NULL,
    PRIMARY KEY (queue, day)
) WITHOUT ROWID;

-- Living workers; `body` is the presence as JSON.
CREATE TABLE workers (
    worker TEXT PRIMARY KEY,
    expires REAL NOT NULL,
    body TEXT NOT NULL
) WITHOUT ROWID;

-- Who sleeps until something happens to a queue, and on which UDP port of this machine to
-- ring. `kind` is 'pending' (a job became ready) or 'due' (a job was stored that is due earlier
-- than `before`). Whoever rings removes the row.
CREATE TABLE listeners (
    kind TEXT NOT NULL,
    queue TEXT NOT NULL,
    port INTEGER NOT NULL,
    before REAL NOT NULL,
    expires REAL NOT NULL,
    PRIMARY KEY (kind, queue, port)
) WITHOUT ROWID;
