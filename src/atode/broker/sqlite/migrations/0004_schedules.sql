-- Schedules: what schedulers show, the last tick of each schedule, and what became of it.

-- Living schedulers; `body` is their entries as JSON.
CREATE TABLE schedulers (
    scheduler TEXT PRIMARY KEY,
    expires REAL NOT NULL,
    body TEXT NOT NULL
) WITHOUT ROWID;

-- The last tick that counted of each schedule, who made it, and what came of it.
CREATE TABLE ticks (
    queue TEXT NOT NULL,
    schedule TEXT NOT NULL,
    at REAL NOT NULL,
    worker TEXT NOT NULL,
    ticked TEXT NOT NULL,
    PRIMARY KEY (queue, schedule)
) WITHOUT ROWID;

-- The jobs that schedules became, and when they were stored.
CREATE TABLE fired (
    schedule TEXT NOT NULL,
    at REAL NOT NULL,
    job_id TEXT NOT NULL,
    PRIMARY KEY (schedule, at, job_id)
) WITHOUT ROWID;
CREATE INDEX fired_by_time ON fired (at);
