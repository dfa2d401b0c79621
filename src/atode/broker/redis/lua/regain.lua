-- regain.lua: hand a worker the jobs of a claim whose answer it never got (protocol, trap 12 and 17:
-- owner field).
-- KEYS  1 lease zset (score = expiry, s)
-- ARGV  1 prefix of job hashes   2 the expiry that the lost claim asked for: its jobs have it
--       still, since nobody knows of them who could extend it   3 worker   4 limit   5 new expiry
--       6 bytes of messages after which to stop   then ids that did arrive
-- Returns for each claim: id, message, claim number.

local jobs, lost, worker, limit = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4])
local bytes, arrived = tonumber(ARGV[6]), {}
for n = 7, #ARGV do
  arrived[ARGV[n]] = true
end

local reply = {}
for _, id in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], lost, lost, 'LIMIT', 0, 1000)) do
  if #reply >= limit * 3 or bytes <= 0 then
    break
  end
  local stored = redis.pcall('HMGET', jobs .. id, 'msg', 'state', 'owner', 'claims')
  if not arrived[id] and stored[1] and stored[2] == 'active' and stored[3] == worker then
    local number = string.format('%d', (tonumber(stored[4] or nil) or 0) + 1)
    redis.call('HSET', jobs .. id, 'claims', number)
    redis.call('ZADD', KEYS[1], ARGV[5], id)
    reply[#reply + 1] = id
    reply[#reply + 1] = stored[1]
    reply[#reply + 1] = number
    bytes = bytes - #stored[1]
  end
end
return reply
