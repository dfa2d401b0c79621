-- Forget a port, and who has not come back for a long time.
-- 1 port (0: none)   2 now
DELETE FROM listeners WHERE port = ?1 OR expires <= ?2;
