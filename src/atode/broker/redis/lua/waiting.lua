-- waiting.lua: since when the job that is next in line has waited (protocol, 13).
-- KEYS  1 pending list
-- ARGV  1 prefix of job hashes
-- Returns the instant in ns; nothing if no job waits or nobody has noted it.

local next_id = redis.call('LINDEX', KEYS[1], -1)
local since = next_id and redis.pcall('HGET', ARGV[1] .. next_id, 'pending_since')
return type(since) == 'string' and since or false
