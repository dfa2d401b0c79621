-- promote.lua: make pending what is due in one queue, oldest due first (protocol, 8.7). What was
-- scheduled with a group joins that; a retry has been run alone, and leaves it.
-- KEYS  1 scheduled zset   2 retry zset (scores = due, s, rounded up)   3 pending list
--       4 names of groups
-- ARGV  1 prefix of job hashes   2 prefix of groups   3 now, s   4 now, ns
--       5 most ids to look at in each zset
-- Returns: '1' if more may be due already, else '0'; and the next instant at which something
-- may be due, '' if nothing waits. What should join a key that is no group stays where it is.

local jobs, groups, now_ns = ARGV[1], ARGV[2], ARGV[4]
local now, window = tonumber(ARGV[3]), tonumber(ARGV[5])
-- Jobs that are due within the current second have the next one as score.
local bucket = math.floor(now) + 1

redis.call('LLEN', KEYS[3])
redis.call('SCARD', KEYS[4])

local due, ghosts, next_due, coming, more, horizon = {}, {}, nil, 0, false, bucket

local function comes(instant)
  next_due = math.min(next_due or instant, instant)
  coming = coming + 1
end

-- The exact instant of a job: its private field if that belongs to this score, else the score.
local function instant_of(exact, score)
  local instant = tonumber(exact or nil)
  if instant and math.ceil(instant) == score then
    return instant
  end
  return score
end

-- The group that a job of this zset joins, nil if it joins none; and whether it can.
local function group_of(zset, group)
  if zset ~= KEYS[1] or not group or group == '' then
    return nil, true
  end
  return group, type(redis.pcall('ZCARD', groups .. group)) == 'number'
end

-- Sorts the lowest entries of a zset into what is due, what comes, and ids without a job.
local function look(zset)
  local found = redis.call('ZRANGEBYSCORE', zset, '-inf', bucket, 'WITHSCORES', 'LIMIT', 0, window)
  for n = 1, #found, 2 do
    local id, score = found[n], tonumber(found[n + 1])
    local stored = redis.pcall('HMGET', jobs .. id, 'state', 'due', 'group')
    local instant = stored[1] and instant_of(stored[2], score)
    if not instant then
      ghosts[#ghosts + 1] = {zset, id}
    elseif instant <= now then
      local group, is_free = group_of(zset, stored[3])
      if is_free then
        due[#due + 1] = {zset = zset, id = id, instant = instant, score = score, group = group}
      end
    else
      comes(instant)
    end
  end
  if #found >= window * 2 then
    -- Cut off: nothing later may overtake what was not seen.
    horizon = math.min(horizon, tonumber(found[#found]))
    more = true
  end
end

-- When the first job after the current second comes, exactly if few share its second.
local function look_ahead(zset)
  local first = redis.call('ZRANGEBYSCORE', zset, '(' .. bucket, '+inf', 'WITHSCORES', 'LIMIT', 0, 1)
  if #first == 0 then
    return
  end
  local score = tonumber(first[2])
  local crowd = redis.call('ZRANGEBYSCORE', zset, score, score, 'LIMIT', 0, 101)
  if #crowd > 100 then
    return comes(score - 1)
  end
  for _, id in ipairs(crowd) do
    local exact = redis.pcall('HGET', jobs .. id, 'due')
    comes(instant_of(type(exact) == 'string' and exact, score))
  end
end

look(KEYS[1])
look(KEYS[2])
table.sort(due, function(a, b)
  if a.instant == b.instant then
    return a.id < b.id
  end
  return a.instant < b.instant
end)

local pending, gone = {}, {[KEYS[1]] = {}, [KEYS[2]] = {}}
for _, job in ipairs(due) do
  if job.score <= horizon then
    local key = jobs .. job.id
    table.insert(gone[job.zset], job.id)
    if job.group then
      redis.call('ZADD', groups .. job.group, math.floor(now), job.id)
      -- asynq forgets this, and then no worker looks at the group (trap 10).
      redis.call('SADD', KEYS[4], job.group)
      redis.call('HSET', key, 'state', 'aggregating')
      redis.call('HDEL', key, 'due')
    else
      pending[#pending + 1] = job.id
      -- claim.lua tells the worker, if it is still this promotion that made the job pending.
      local was_due = string.format('%.17g@%s', job.instant, now_ns)
      redis.call('HSET', key, 'state', 'pending', 'pending_since', now_ns, 'was_due', was_due)
      redis.call('HDEL', key, 'due', 'group')
    end
  end
end
for _, ghost in ipairs(ghosts) do
  table.insert(gone[ghost[1]], ghost[2])
end
for zset, ids in pairs(gone) do
  if #ids > 0 then
    redis.call('ZREM', zset, unpack(ids))
  end
end
if #pending > 0 then
  redis.call('LPUSH', KEYS[3], unpack(pending))
end

-- A window full of jobs that are all to come later in this second says nothing about more.
more = more and #due + #ghosts > 0
if not next_due then
  look_ahead(KEYS[1])
  look_ahead(KEYS[2])
elseif coming > 100 then
  -- Each look at a crowded second costs Redis up to two milliseconds.
  next_due = math.max(next_due, now + 0.01)
end
return {more and '1' or '0', next_due and string.format('%.17g', next_due) or ''}
