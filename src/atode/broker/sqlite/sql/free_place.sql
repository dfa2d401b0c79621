-- Give back a place that was taken until this instant.
-- 1 scope   2 holder   3 until
DELETE FROM places WHERE scope = ?1 AND holder = ?2 AND until = ?3;
