-- All numbers below the new one have been given.
-- 1 next number
UPDATE numbers SET next = ?1;
