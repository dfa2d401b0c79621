-- Remember what is received; the row of values is repeated.
INSERT OR REPLACE INTO received (queue, id, mover, number)
VALUES (?, ?, ?, ?);
