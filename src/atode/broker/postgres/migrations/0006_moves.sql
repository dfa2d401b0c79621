-- Queues on their way to or from another store.

-- Who moves a queue ('' once it has moved), what was deleted last because it had arrived there,
-- whether this is the store that receives, and whether the queue is paused for the move only.
CREATE TABLE {schema}.job_moves (
    queue text COLLATE "C" PRIMARY KEY,
    mover text COLLATE "C" NOT NULL,
    given text NOT NULL DEFAULT '',
    receives boolean NOT NULL,
    pauses boolean NOT NULL
);

-- Jobs that were received and may still be in the old store, with the stamp of their transport;
-- `id` as in `jobs`.
CREATE TABLE {schema}.job_received (
    queue text COLLATE "C" NOT NULL,
    id uuid NOT NULL,
    mover text COLLATE "C" NOT NULL,
    number bigint NOT NULL,
    PRIMARY KEY (queue, id)
);
