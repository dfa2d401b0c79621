-- Lock what unique jobs do, in place of locks that have ended; the row of values is repeated.
INSERT OR REPLACE INTO locks (queue, text, id, until)
VALUES (?, ?, ?, ?);
