-- reap.lua: take over active jobs of one queue whose lease has run out (protocol, 8.9).
-- KEYS  1 active list   2 lease zset (score = expiry, s)
-- ARGV  1 prefix of job hashes   2 limit   3 now, s   4 leases of Go workers that ran out up to
--       this second may be taken: asynq leaves them 30 s   5 new expiry (see claim.lua)
--       6 worker   7 bytes of messages after which to stop
-- Returns for each claim: id, message, claim number, negative if the job was cancelled.

local jobs, limit, now, worker = ARGV[1], tonumber(ARGV[2]), ARGV[3], ARGV[6]
local cutoff, expiry, bytes = tonumber(ARGV[4]), ARGV[5], tonumber(ARGV[7])

redis.call('LLEN', KEYS[1])
local expired = redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', now, 'WITHSCORES', 'LIMIT', 0, 1000)
local reply = {}
for n = 1, #expired, 2 do
  local id, score = expired[n], tonumber(expired[n + 1])
  local key = jobs .. id
  if #reply >= limit * 3 or bytes <= 0 then
    break
  end
  if score % 1 ~= 0 or score <= cutoff then
    local stored = redis.pcall('HMGET', key, 'msg', 'state', 'claims', 'cancelled')
    if stored[1] and stored[2] == 'active' then
      local number = string.format('%d', (tonumber(stored[3] or nil) or 0) + 1)
      redis.call('HSET', key, 'owner', worker, 'claims', number)
      redis.call('ZADD', KEYS[2], expiry, id)
      reply[#reply + 1] = id
      reply[#reply + 1] = stored[1]
      bytes = bytes - #stored[1]
      reply[#reply + 1] = (stored[4] and '-' or '') .. number
    else
      -- No job, or one that is elsewhere by now: only the traces here are wrong.
      redis.call('LREM', KEYS[1], -1, id)
      redis.call('ZREM', KEYS[2], id)
    end
  end
end
return reply
