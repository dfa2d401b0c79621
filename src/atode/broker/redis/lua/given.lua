-- given.lua: delete jobs of one queue that another store has received, with their locks.
-- KEYS  1 pending list   2 scheduled   3 retry   4 archived   5 completed zset
--       6 names of groups   7 how the move of this queue stands   8 what was received
-- ARGV  1 prefix of job hashes   2 prefix of groups   3 prefix of locks   4 mover
--       5 his stamp   then the ids
-- Returns the places (from 1) of those that are still here: active, or in the hands of a Go server
-- that aggregates; -1 alone if there is another mover.

local jobs, groups, locks, stamp = ARGV[1], ARGV[2], ARGV[3], ARGV[5]
local zsets = {scheduled = KEYS[2], retry = KEYS[3], archived = KEYS[4], completed = KEYS[5]}
local FIRST = 6

local known = redis.call('HMGET', KEYS[7], 'mover', 'given')
if known[1] ~= ARGV[4] then
  return {-1}
end
if known[2] == stamp then
  -- Sent twice; by now an id may mean another job.
  return {}
end
test({
  pending = KEYS[1], scheduled = KEYS[2], retry = KEYS[3], archived = KEYS[4],
  completed = KEYS[5], aggregating = KEYS[6],
})
redis.call('HLEN', KEYS[8])

local gone, listed, ranked, here = {}, {}, {}, {}
for at = FIRST, #ARGV do
  local id = ARGV[at]
  local stored = redis.pcall('HMGET', jobs .. id, 'state', 'group')
  local state = stored[1]
  if state == 'pending' then
    listed[#listed + 1] = id
  elseif zsets[state] then
    ranked[state] = ranked[state] or {}
    table.insert(ranked[state], id)
  end
  if state == 'active' or (state == 'aggregating' and take_from_group(KEYS[6], groups, stored[2] or '', id) == 0) then
    here[#here + 1] = at - FIRST + 1
  else
    gone[#gone + 1] = id
  end
end

if #listed > 0 then
  remove_all(KEYS[1], listed)
end
for state, ids in pairs(ranked) do
  redis.call('ZREM', zsets[state], unpack(ids))
end
for _, id in ipairs(gone) do
  unlock(jobs, locks, id)
  redis.call('DEL', jobs .. id)
end
if #gone > 0 then
  -- Whoever gives a job away may get it back.
  redis.call('HDEL', KEYS[8], unpack(gone))
end
redis.call('HSET', KEYS[7], 'given', stamp)
return here
