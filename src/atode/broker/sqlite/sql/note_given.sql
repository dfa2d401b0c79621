-- Note what was deleted last because it had arrived elsewhere.
-- 1 queue   2 stamp
UPDATE moves SET given = ?2 WHERE queue = ?1;
