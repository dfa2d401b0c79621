-- prune.lua: delete what one queue keeps no longer (protocol, 8.10 and 8.5).
-- KEYS  1 completed zset (score = kept until, s)   2 archived zset (score = archived at, s)
-- ARGV  1 prefix of job hashes   2 now, s   3 archived up to this second are too old
--       4 archived jobs to keep   5 most jobs to delete of each kind
-- Returns how many were deleted; as many as the limit: there may be more.

local jobs, limit = ARGV[1], tonumber(ARGV[5])
local stale = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', ARGV[2], 'LIMIT', 0, limit)
redis.call('ZCARD', KEYS[2])
return delete_all(KEYS[1], jobs, stale) + trim_archive(KEYS[2], jobs, ARGV[3], tonumber(ARGV[4]), limit)
