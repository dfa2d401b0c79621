-- reclaim.lua: give back to its group what a Go worker took out and did not finish (protocol, 9.4).
-- KEYS  1 aggregation sets (zset of keys; score = deadline, s)   2 names of groups
-- ARGV  1 prefix of groups   2 now, s   3 most sets
-- Returns how many sets were dissolved. Unlike asynq, the group's name is noted again: without it
-- nobody would look at the group (trap 10).

local groups, dissolved = ARGV[1], 0

redis.call('SCARD', KEYS[2])
for _, set in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', ARGV[2], 'LIMIT', 0, ARGV[3])) do
  -- A set is called as its group, a colon and an id of its own.
  local ours = string.sub(set, 1, #groups) == groups
  local name = ours and string.match(string.sub(set, #groups + 1), '^(.+):[^:]*$')
  if name and redis.call('EXISTS', set) == 1 then
    local group = groups .. name
    local stored = redis.pcall('ZUNIONSTORE', group, 2, group, set, 'AGGREGATE', 'MIN')
    -- A key of a wrong type keeps its members where they are.
    if type(stored) == 'number' then
      redis.call('SADD', KEYS[2], name)
      redis.call('DEL', set)
      redis.call('ZREM', KEYS[1], set)
      dissolved = dissolved + 1
    end
  else
    redis.call('ZREM', KEYS[1], set)
  end
end
return dissolved
