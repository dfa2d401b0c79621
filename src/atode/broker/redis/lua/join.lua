-- join.lua: store new jobs of one queue that belong to groups (protocol, 7.2, 7.4 and 7.5).
-- KEYS  1 names of groups   2 scheduled zset (score = due, s, rounded up)   3 private zset of
--       groups that a Go server may give members without noting their names (see reclaim.lua)
-- ARGV  1 '1' if this is sent a second time because the first answer was lost, else '0'
--       2 prefix of job hashes   3 prefix of groups (zsets; score = since when, s)   4 now, s
--       5 channel for jobs due soon   6 the earliest due instant of those, '' for none
--       then for each job: id, message, group, score ('' = joins now), exact due ('' = the
--       score), its lock ('' = not unique), and the lock's lifetime in s
-- Returns for each refused job: its place (from 1), and the id of the job that is in its way,
-- as enqueue.lua does. Unlike asynq, the hash of a delayed job tells its group, too, so that
-- it joins at its instant (trap 9), and that of a unique one its lock.

local again, jobs, groups, now = ARGV[1] == '1', ARGV[2], ARGV[3], ARGV[4]
local FIRST, PARTS = 7, 7

-- Keys of a wrong type must fail here, before anything is written.
redis.call('SCARD', KEYS[1])
redis.call('ZCARD', KEYS[2])
redis.call('ZCARD', KEYS[3])
for at = FIRST, #ARGV, PARTS do
  redis.call('ZCARD', groups .. ARGV[at + 2])
  if ARGV[at + 5] ~= '' then
    redis.call('GET', ARGV[at + 5])
  end
end

-- Id of the job that is in the way of this one; nil if it is free, '' if it is stored already.
local function holder_of(id, message, lock)
  local key = jobs .. id
  if redis.call('EXISTS', key) == 1 then
    local is_ours = again and redis.pcall('HGET', key, 'msg') == message
    return is_ours and '' or id
  end
  local holder = lock ~= '' and redis.call('GET', lock)
  return holder and holder ~= id and holder or nil
end

local function store(id, message, group, score, due)
  local key = jobs .. id
  if score == '' then
    redis.call('HSET', key, 'msg', message, 'state', 'aggregating', 'group', group)
    redis.call('ZADD', groups .. group, now, id)
    redis.call('SADD', KEYS[1], group)
    return
  end
  redis.call('HSET', key, 'msg', message, 'state', 'scheduled', 'group', group)
  redis.call('ZADD', KEYS[2], score, id)
  redis.call('ZADD', KEYS[3], score, score .. ':' .. group)
  if due ~= '' then
    redis.call('HSET', key, 'due', due)
  end
end

local refused, seen = {}, {}
for at = FIRST, #ARGV, PARTS do
  local id, message, lock = ARGV[at], ARGV[at + 1], ARGV[at + 5]
  local holder = seen[id] and id or holder_of(id, message, lock)
  if not holder then
    store(id, message, ARGV[at + 2], ARGV[at + 3], ARGV[at + 4])
    if lock ~= '' then
      redis.call('HSET', jobs .. id, 'unique_key', lock)
      redis.call('SET', lock, id, 'EX', ARGV[at + 6])
    end
  elseif holder ~= '' then
    refused[#refused + 1] = (at - FIRST) / PARTS + 1
    refused[#refused + 1] = holder
  end
  -- A job that only its lock kept out has not taken its id.
  seen[id] = seen[id] or not holder or holder == '' or holder == id
end
-- What is long past, for queues on which no worker of ours does this.
redis.call('ZREMRANGEBYSCORE', KEYS[3], '-inf', now - 3600)
if ARGV[6] ~= '' then
  -- Without the right to publish, jobs are a moment late instead of not stored.
  redis.pcall('PUBLISH', ARGV[5], ARGV[6])
end
return refused
