-- A port is being rung for this reason and will ask again.
-- 1 kind   2 port
DELETE FROM listeners WHERE kind = ?1 AND port = ?2;
