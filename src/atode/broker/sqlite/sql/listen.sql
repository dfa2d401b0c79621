-- Ask to be rung up, once.
-- 1 kind   2 queue   3 port   4 before   5 expires
INSERT OR REPLACE INTO listeners (kind, queue, port, before, expires)
VALUES (?1, ?2, ?3, ?4, ?5);
