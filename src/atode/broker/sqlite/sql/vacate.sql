-- Free the places whose time is over.
-- 1 scope   2 now
DELETE FROM places WHERE scope = ?1 AND until <= ?2;
