-- Places that only so many jobs can take at the same time: in which scope, who, and until when.
CREATE TABLE places (
    scope TEXT NOT NULL,
    holder TEXT NOT NULL,
    until REAL NOT NULL,
    PRIMARY KEY (scope, holder)
) WITHOUT ROWID;
