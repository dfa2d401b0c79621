-- The workers that live.
-- 1 now
SELECT body FROM workers WHERE expires > ?1 ORDER BY worker;
