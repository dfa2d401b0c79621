-- A definition as it is stored.
-- 1 id
SELECT version, body FROM definitions WHERE id = ?1;
