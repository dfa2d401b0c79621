-- claim.lua: hand pending jobs of one queue to a worker, oldest first (protocol, 8.1).
-- KEYS  1 pending list   2 paused flag   3 active list   4 lease zset (score = expiry, s)
-- ARGV  1 prefix of job hashes   2 limit   3 lease expiry (never a whole second: that
--       marks the lease as atode's, since asynq's are whole)   4 worker
--       5 bytes of messages after which to stop
-- Returns '1' if there may be more, else '0'; then for each claim: id, message, claim number, negative
-- if the job was cancelled (by us, while a Go worker had it). Ids without a job are dropped.

local jobs, limit, expiry, worker = ARGV[1], tonumber(ARGV[2]), ARGV[3], ARGV[4]
local bytes = tonumber(ARGV[5])

if redis.call('EXISTS', KEYS[2]) == 1 then
  return {'0'}
end
local window = redis.call('LRANGE', KEYS[1], -limit, -1)
if #window == 0 then
  return {'0'}
end
redis.call('LLEN', KEYS[3])
redis.call('ZCARD', KEYS[4])

local reply, taken, numbers, leases, ghosts, seen, looked = {'0'}, {}, {}, {}, {}, {}, 0
for place = #window, 1, -1 do
  if bytes <= 0 then
    break
  end
  local id = window[place]
  looked = looked + 1
  local stored = redis.pcall('HMGET', jobs .. id, 'msg', 'claims', 'cancelled')
  if stored[1] and not seen[id] then
    local number = string.format('%d', (tonumber(stored[2] or nil) or 0) + 1)
    taken[#taken + 1] = id
    numbers[#numbers + 1] = number
    leases[#leases + 1] = expiry
    leases[#leases + 1] = id
    reply[#reply + 1] = id
    reply[#reply + 1] = stored[1]
    bytes = bytes - #stored[1]
    reply[#reply + 1] = (stored[3] and '-' or '') .. number
  elseif not stored.err and not seen[id] then
    ghosts[#ghosts + 1] = jobs .. id
  end
  seen[id] = true
end

redis.call('LTRIM', KEYS[1], 0, -looked - 1)
if #ghosts > 0 then
  -- A hash without a message is what asynq's dequeue leaves of an id without a job; it
  -- would block its id for ever.
  redis.call('DEL', unpack(ghosts))
end
if #taken > 0 then
  redis.call('LPUSH', KEYS[3], unpack(taken))
  redis.call('ZADD', KEYS[4], unpack(leases))
end
for n, id in ipairs(taken) do
  local key = jobs .. id
  redis.call('HSET', key, 'state', 'active', 'owner', worker, 'claims', numbers[n])
  -- What runs alone must not fall back into its group with a retry (trap 10).
  redis.call('HDEL', key, 'pending_since', 'due', 'group')
end
if looked == limit or looked < #window then
  reply[1] = '1'
end
return reply
