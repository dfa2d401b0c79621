-- clear.lua: delete jobs of a queue that detach.lua has taken apart, with their locks.
-- KEYS  1 pending list   2 scheduled   3 retry   4 archived   5 completed zset
--       6 names of groups; all under their names as removed ones
-- ARGV  1 prefix of job hashes   2 prefix of locks   3 prefix of removed groups
--       4 most ids to look at in each of them
-- Returns how many ids were looked at; 0: nothing is left.

local jobs, groups, limit = ARGV[1], ARGV[3], tonumber(ARGV[4])
local places = {
  pending = KEYS[1], scheduled = KEYS[2], retry = KEYS[3], archived = KEYS[4],
  completed = KEYS[5], aggregating = KEYS[6],
}

test(places)
local looked = 0
for state in pairs(places) do
  local taken, number = take_first(places, jobs, groups, state, limit)
  for _, id in ipairs(taken) do
    unlock(jobs, ARGV[2], id)
    redis.call('DEL', jobs .. id)
  end
  looked = looked + number
end
return looked
