-- Remove a definition.
-- 1 id
DELETE FROM definitions WHERE id = ?1;
