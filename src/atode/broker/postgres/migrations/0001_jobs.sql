-- The tables of a new schema.

-- One row per stored job. People read `status` and the columns above it; the library reads
-- `state`, `turn` and the rest. Instants in double precision are Unix seconds.
CREATE TABLE {schema}.jobs (
    -- The id as it was given, where that is a UUID; else a UUID made from it, and `name` is the id.
    id uuid NOT NULL,
    name text,
    queue text COLLATE "C" NOT NULL,
    type text NOT NULL,
    -- The arguments, for people; NULL where they are no JSON. `body` has them byte for byte.
    payload jsonb,
    status text COLLATE "C" NOT NULL GENERATED ALWAYS AS (
        CASE state
            WHEN 'active' THEN 'processing'
            WHEN 'completed' THEN 'completed'
            WHEN 'archived' THEN 'failed'
            ELSE 'pending'
        END
    ) STORED,
    -- Attempts that were begun and count.
    attempts bigint NOT NULL GENERATED ALWAYS AS (
        retried::bigint + CASE
            WHEN started_at IS NOT NULL AND state IN ('active', 'completed', 'archived') THEN 1
            ELSE 0
        END
    ) STORED,
    max_attempts bigint NOT NULL GENERATED ALWAYS AS (max_retry::bigint + 1) STORED,
    -- When it may run; for a job without delay, when it was stored.
    scheduled_at timestamptz NOT NULL,
    started_at timestamptz,
    completed_at timestamptz,
    error text,
    last_failed_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),

    state text COLLATE "C" NOT NULL,
    -- What sorts it among the jobs of its state: pending, its number in line; scheduled and
    -- retry, when it is due; active, when its lease ends; completed, until when it is kept;
    -- archived, since when it is.
    turn double precision NOT NULL,
    -- Its number in line, which it keeps while it runs, in case it is handed back.
    line bigint NOT NULL,
    body bytea NOT NULL,
    max_retry integer NOT NULL,
    retried integer NOT NULL DEFAULT 0,
    timeout double precision NOT NULL,
    deadline double precision NOT NULL,
    retention double precision NOT NULL,
    headers text,
    result bytea,
    unique_text text,
    -- The call that stored it; tells a repeated sending from a later job with the same id.
    batch bigint NOT NULL,
    claims integer NOT NULL DEFAULT 0,
    -- Who has it, and a number that no other claim on any job has.
    worker text,
    ticket bigint,
    PRIMARY KEY (id, queue)
) WITH (
    -- A queue's table is written all over many times a day; the defaults are for tables that
    -- grow. No truncation: it would lock out everybody for a moment.
    autovacuum_vacuum_scale_factor = 0.01,
    autovacuum_vacuum_threshold = 5000,
    autovacuum_vacuum_insert_scale_factor = 0.1,
    autovacuum_analyze_scale_factor = 0.02,
    autovacuum_analyze_threshold = 5000,
    autovacuum_vacuum_cost_delay = 0,
    vacuum_truncate = false
);

-- One index per status: a job stands in exactly one of them, and none grows with the jobs
-- that are somewhere else.
CREATE INDEX jobs_pending ON {schema}.jobs (queue, state, turn) WHERE status = 'pending';
CREATE INDEX jobs_processing ON {schema}.jobs (queue, turn) WHERE status = 'processing';
CREATE INDEX jobs_completed ON {schema}.jobs (queue, turn) WHERE status = 'completed';
CREATE INDEX jobs_failed ON {schema}.jobs (queue, turn) WHERE status = 'failed';

-- Numbers in line, and tickets.
CREATE SEQUENCE {schema}.job_numbers AS bigint;

-- The queues that were ever used and not removed. Some are in it twice: if a name had to be
-- unique, everybody would wait for a transaction of somebody else that was the first to use it.
CREATE TABLE {schema}.job_queues (queue text COLLATE "C" NOT NULL);
CREATE INDEX job_queues_by_name ON {schema}.job_queues (queue);

-- Queues from which nothing is claimed for now.
CREATE TABLE {schema}.job_paused (queue text COLLATE "C" PRIMARY KEY);

-- What no other job of a queue may do until an instant, and the id of the job that does it.
CREATE TABLE {schema}.job_locks (
    queue text COLLATE "C" NOT NULL,
    text text COLLATE "C" NOT NULL,
    id uuid NOT NULL,
    name text,
    batch bigint NOT NULL,
    until double precision NOT NULL,
    PRIMARY KEY (queue, text)
);
CREATE INDEX job_locks_by_end ON {schema}.job_locks (queue, until);

-- How many attempts ended well and badly. Rows are only added, and now and then replaced by
-- their sum: a row that everybody updates would make everybody wait.
CREATE TABLE {schema}.job_tallies (
    queue text COLLATE "C" NOT NULL,
    day date NOT NULL,
    succeeded bigint NOT NULL,
    failed bigint NOT NULL
);
CREATE INDEX job_tallies_by_day ON {schema}.job_tallies (queue, day);

-- Living workers; `body` is the presence as JSON.
CREATE TABLE {schema}.job_workers (
    worker text PRIMARY KEY,
    expires double precision NOT NULL,
    body text NOT NULL
);
