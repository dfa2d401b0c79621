-- Queues on their way to or from another store.

-- Who moves a queue ('' once it has moved), what was deleted last because it had arrived there,
-- whether this is the store that receives, and whether the queue is paused for the move only.
CREATE TABLE moves (
    queue TEXT PRIMARY KEY,
    mover TEXT NOT NULL,
    given TEXT NOT NULL DEFAULT '',
    receives INTEGER NOT NULL,
    pauses INTEGER NOT NULL
) WITHOUT ROWID;

-- Jobs that were received and may still be in the old store, with the stamp of their transport.
CREATE TABLE received (
    queue TEXT NOT NULL,
    id TEXT NOT NULL,
    mover TEXT NOT NULL,
    number INTEGER NOT NULL,
    PRIMARY KEY (queue, id)
) WITHOUT ROWID;
