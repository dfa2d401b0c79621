-- Places that only so many jobs can take at the same time.
CREATE TABLE {schema}.job_places (
    scope text COLLATE "C" NOT NULL,
    holder text COLLATE "C" NOT NULL,
    -- Until when the holder says that it has the place, by its own clock; it gives it back with
    -- the same words. And when the place is free again, by the database's.
    until double precision NOT NULL,
    expires double precision NOT NULL,
    PRIMARY KEY (scope, holder)
);
