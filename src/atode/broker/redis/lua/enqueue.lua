-- enqueue.lua: store new jobs of one queue (protocol, 7.1 and 7.2).
-- KEYS  1 pending list   2 scheduled zset (score = due, s, rounded up)
-- ARGV  1 '1' if this is sent a second time because the first answer was lost, else '0'
--       2 prefix of job hashes   3 now, ns
--       4 channel for jobs due soon   5 the earliest due instant of those, '' for none
--       then for each job: id, message, score ('' = pending now), exact due ('' = the score)
-- Returns the places (from 1) of the refused jobs: their id is taken.

local again, jobs, now_ns = ARGV[1] == '1', ARGV[2], ARGV[3]

-- Whether a job is there because the first sending stored it.
local function is_ours(key, message)
  return again and redis.pcall('HGET', key, 'msg') == message
end

-- A key of a wrong type must fail here, before anything is written.
redis.call('LLEN', KEYS[1])
redis.call('ZCARD', KEYS[2])

local keys = {}
for at = 6, #ARGV, 4 do
  keys[#keys + 1] = jobs .. ARGV[at]
end
-- Asked for all at once, since most often none is there.
local some_taken = redis.call('EXISTS', unpack(keys)) > 0

local refused, fresh, pending, scheduled, seen = {}, {}, {}, {}, {}
for at = 6, #ARGV, 4 do
  local id, message, score = ARGV[at], ARGV[at + 1], ARGV[at + 2]
  local key = keys[(at - 2) / 4]
  local taken = some_taken and redis.call('EXISTS', key) == 1
  if seen[id] or (taken and not is_ours(key, message)) then
    refused[#refused + 1] = (at - 2) / 4
  elseif not taken then
    fresh[#fresh + 1] = at
    if score == '' then
      pending[#pending + 1] = id
    else
      scheduled[#scheduled + 1] = score
      scheduled[#scheduled + 1] = id
    end
  end
  seen[id] = true
end

if #pending > 0 then
  redis.call('LPUSH', KEYS[1], unpack(pending))
end
if #scheduled > 0 then
  redis.call('ZADD', KEYS[2], unpack(scheduled))
end
for _, at in ipairs(fresh) do
  local key, message, score, due = keys[(at - 2) / 4], ARGV[at + 1], ARGV[at + 2], ARGV[at + 3]
  if score == '' then
    redis.call('HSET', key, 'msg', message, 'state', 'pending', 'pending_since', now_ns)
  elseif due == '' then
    redis.call('HSET', key, 'msg', message, 'state', 'scheduled')
  else
    redis.call('HSET', key, 'msg', message, 'state', 'scheduled', 'due', due)
  end
end
if ARGV[5] ~= '' then
  -- Without the right to publish, jobs are a moment late instead of not stored.
  redis.pcall('PUBLISH', ARGV[4], ARGV[5])
end
return refused
