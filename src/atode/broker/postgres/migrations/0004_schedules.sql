-- Schedules: what schedulers show, the last tick of each schedule, and what became of it.

-- Living schedulers; `body` is their entries as JSON.
CREATE TABLE {schema}.job_schedulers (
    scheduler text PRIMARY KEY,
    expires double precision NOT NULL,
    body text NOT NULL
);

-- The last tick that counted of each schedule, who made it, and what came of it.
CREATE TABLE {schema}.job_ticks (
    queue text COLLATE "C" NOT NULL,
    schedule text COLLATE "C" NOT NULL,
    at double precision NOT NULL,
    worker text NOT NULL,
    ticked text NOT NULL,
    PRIMARY KEY (queue, schedule)
);

-- The jobs that schedules became, and when they were stored; `id` and `name` as in `jobs`.
CREATE TABLE {schema}.job_fired (
    schedule text COLLATE "C" NOT NULL,
    at double precision NOT NULL,
    id uuid NOT NULL,
    name text,
    PRIMARY KEY (schedule, at, id)
);
CREATE INDEX job_fired_by_time ON {schema}.job_fired (at);
