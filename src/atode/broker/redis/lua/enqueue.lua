-- enqueue.lua: store new jobs of one queue (protocol, 7.1 to 7.3).
-- KEYS  1 pending list   2 scheduled zset (score = due, s, rounded up)
--       then the locks of unique jobs (value = id of the job that holds it)
-- ARGV  1 '1' if this is sent a second time because the first answer was lost, else '0'
--       2 prefix of job hashes   3 now, ns
--       4 channel for jobs due soon   5 the earliest due instant of those, '' for none
--       6 number of locks   then for each lock: number of arguments between the last of these
--       and its job's id, lifetime in s
--       then for each job: id, message, score ('' = pending now), exact due ('' = the score)
-- Returns for each refused job: its place (from 1), and the id of the job that is in its way: its own
-- id is taken, or that job has its lock. Unlike asynq, a taken id leaves no lock behind.

local again, jobs, now_ns, count_of_locks = ARGV[1] == '1', ARGV[2], ARGV[3], tonumber(ARGV[6])
local first = 7 + 2 * count_of_locks

-- Whether a job is there because the first sending stored it.
local function is_ours(key, message)
  return again and redis.pcall('HGET', key, 'msg') == message
end

-- A key of a wrong type must fail here, before anything is written.
redis.call('LLEN', KEYS[1])
redis.call('ZCARD', KEYS[2])

local locks, holders = {}, {}
for n = 1, count_of_locks do
  local key = KEYS[2 + n]
  locks[first + ARGV[5 + 2 * n]] = {key = key, lifetime = ARGV[6 + 2 * n]}
  holders[key] = redis.call('GET', key) or nil
end

local keys = {}
for at = first, #ARGV, 4 do
  keys[#keys + 1] = jobs .. ARGV[at]
end
-- Asked for all at once, since most often none is there.
local some_taken = redis.call('EXISTS', unpack(keys)) > 0

local refused, fresh, pending, scheduled, seen = {}, {}, {}, {}, {}
for at = first, #ARGV, 4 do
  local id, message, score = ARGV[at], ARGV[at + 1], ARGV[at + 2]
  local key, lock = keys[(at - first) / 4 + 1], locks[at]
  local taken = some_taken and redis.call('EXISTS', key) == 1
  local holder = nil
  if seen[id] or (taken and not is_ours(key, message)) then
    holder = id
  elseif not taken then
    holder = lock and holders[lock.key]
    if not holder or holder == id then
      holder = nil
      fresh[#fresh + 1] = at
      if lock then
        holders[lock.key], lock.taken = id, true
      end
      if score == '' then
        pending[#pending + 1] = id
      else
        scheduled[#scheduled + 1] = score
        scheduled[#scheduled + 1] = id
      end
    end
  end
  if holder then
    refused[#refused + 1] = (at - first) / 4 + 1
    refused[#refused + 1] = holder
  end
  -- A job that only its lock kept out has not taken its id.
  seen[id] = seen[id] or taken or not holder
end

if #pending > 0 then
  redis.call('LPUSH', KEYS[1], unpack(pending))
end
if #scheduled > 0 then
  redis.call('ZADD', KEYS[2], unpack(scheduled))
end
for _, at in ipairs(fresh) do
  local key = keys[(at - first) / 4 + 1]
  local message, score, due = ARGV[at + 1], ARGV[at + 2], ARGV[at + 3]
  if score == '' then
    redis.call('HSET', key, 'msg', message, 'state', 'pending', 'pending_since', now_ns)
  elseif due == '' then
    redis.call('HSET', key, 'msg', message, 'state', 'scheduled')
  else
    redis.call('HSET', key, 'msg', message, 'state', 'scheduled', 'due', due)
  end
end
for at, lock in pairs(locks) do
  if lock.taken then
    redis.call('HSET', jobs .. ARGV[at], 'unique_key', lock.key)
    redis.call('SET', lock.key, ARGV[at], 'EX', lock.lifetime)
  end
end
if ARGV[5] ~= '' then
  -- Without the right to publish, jobs are a moment late instead of not stored.
  redis.pcall('PUBLISH', ARGV[4], ARGV[5])
end
return refused
