-- receive.lua: store jobs of one queue that come from another store, as they were there.
-- KEYS  1 pending list   2 scheduled   3 retry   4 archived   5 completed zset
--       6 names of groups   7 how the move of this queue stands   8 what was received (hash, id
--       to stamp)   9 private zset of groups that a Go server may give members without noting
--       their names (see reclaim.lua)
-- ARGV  1 prefix of job hashes   2 prefix of groups   3 mover   4 number of this transport
--       5 channel for jobs due soon   6 the earliest due instant of those, '' for none
--       then for each job: id, message, state, score, exact due ('' = the score), start of its
--       wait in ns ('' = nobody knows), result, group ('' = none), the lock that it holds
--       ('' = none), and for how long, ms
-- Returns the places (from 1) of the jobs whose id is taken, and of those whose lock another job
-- has; or -1 if there is another mover. Jobs that were received before are passed over.

local jobs, groups, mover, number = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4])
local zsets = {scheduled = KEYS[2], retry = KEYS[3], archived = KEYS[4], completed = KEYS[5]}
local stamp = mover .. ' ' .. ARGV[4]
local FIRST, PARTS = 7, 10

if redis.call('HGET', KEYS[7], 'mover') ~= mover then
  return -1
end
-- Keys of a wrong type must fail here, before anything is written.
redis.call('LLEN', KEYS[1])
redis.call('SCARD', KEYS[6])
redis.call('ZCARD', KEYS[9])
for _, zset in pairs(zsets) do
  redis.call('ZCARD', zset)
end
for at = FIRST, #ARGV, PARTS do
  if ARGV[at + 2] == 'aggregating' then
    redis.call('ZCARD', groups .. ARGV[at + 7])
  end
end

local function store(at)
  local id, message, state, score, due = unpack(ARGV, at, at + 4)
  local since, result, group, lock = unpack(ARGV, at + 5, at + 8)
  local fields = {'msg', message, 'state', state}
  local function set(name, value)
    if value ~= '' then
      fields[#fields + 1] = name
      fields[#fields + 1] = value
    end
  end
  set('due', due)
  set('pending_since', since)
  set('result', result)
  set('group', group)
  set('unique_key', lock)
  redis.call('HSET', jobs .. id, unpack(fields))
  if state == 'pending' then
    redis.call('LPUSH', KEYS[1], id)
  elseif state == 'aggregating' then
    redis.call('ZADD', groups .. group, score, id)
    redis.call('SADD', KEYS[6], group)
  else
    redis.call('ZADD', zsets[state], score, id)
    if state == 'scheduled' and group ~= '' then
      redis.call('ZADD', KEYS[9], score, score .. ':' .. group)
    end
  end
end

-- False if another job has the lock.
local function take_lock(lock, id, left)
  local taken = redis.pcall('SET', lock, id, 'PX', left, 'NX')
  return (type(taken) == 'table' and taken.ok) or redis.pcall('GET', lock) == id
end

forget(KEYS[8], mover, number - 1)
local refused, unlocked = {}, {}
for at = FIRST, #ARGV, PARTS do
  local id, lock, left = ARGV[at], ARGV[at + 8], ARGV[at + 9]
  local was_received = redis.call('HEXISTS', KEYS[8], id) == 1
  if not was_received and redis.call('EXISTS', jobs .. id) == 1 then
    refused[#refused + 1] = (at - FIRST) / PARTS + 1
  else
    if not was_received then
      store(at)
      if left ~= '' and not take_lock(lock, id, left) then
        unlocked[#unlocked + 1] = (at - FIRST) / PARTS + 1
      end
    end
    redis.call('HSET', KEYS[8], id, stamp)
  end
end
if ARGV[6] ~= '' then
  -- Without the right to publish, jobs are a moment late instead of not stored.
  redis.pcall('PUBLISH', ARGV[5], ARGV[6])
end
return {refused, unlocked}
