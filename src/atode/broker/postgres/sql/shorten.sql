-- Let leases that no worker can have meant run out.
-- 1 queue   2 later than this   3 now
UPDATE {schema}.jobs SET turn = $3::double precision
WHERE queue = $1 AND status = 'processing' AND turn > $2
RETURNING 1;
