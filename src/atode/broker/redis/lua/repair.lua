-- repair.lua: give active jobs without a lease one that has just run out, so that they are
-- recovered like any other (protocol, 17: orphan repair); drop active ids without a job.
-- KEYS  1 active list   2 lease zset
-- ARGV  1 prefix of job hashes   2 now, s   3 most ids to look at, oldest first
-- Returns how many were mended. Safe at any time: claims write list and lease in one step.

if redis.call('LLEN', KEYS[1]) <= redis.call('ZCARD', KEYS[2]) then
  return 0
end
local ids = redis.call('LRANGE', KEYS[1], -tonumber(ARGV[3]), -1)
local leases = redis.call('ZMSCORE', KEYS[2], unpack(ids))
local mended = 0
for n, id in ipairs(ids) do
  if not leases[n] then
    local stored = redis.pcall('HMGET', ARGV[1] .. id, 'state', 'msg')
    if stored[1] == 'active' and stored[2] then
      -- A whole second: whose job it is cannot be known, so it is treated as a Go worker's.
      redis.call('ZADD', KEYS[2], ARGV[2], id)
    else
      redis.call('LREM', KEYS[1], -1, id)
    end
    mended = mended + 1
  end
end
return mended
