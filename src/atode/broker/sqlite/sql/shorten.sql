-- Let leases that no worker can have meant run out.
-- 1 queue   2 later than this   3 now
UPDATE jobs INDEXED BY jobs_active SET lease_until = ?3
WHERE queue = ?1 AND state = 'active' AND lease_until > ?2;
