-- reclaim.lua: give back to its group what a Go worker took out and did not finish (protocol, 9.4),
-- and see that groups to which Go servers gave members are known.
-- KEYS  1 aggregation sets (zset of keys; score = deadline, s)   2 names of groups   3 private
--       zset of groups that may get members from then on: `instant:name` by the instant, s
-- ARGV  1 prefix of groups   2 now, s   3 most sets to dissolve
-- Returns how many sets are done with; as many as the limit: there may be more.
-- asynq's own forwarder and recoverer do not note a group's name, and without it nobody looks at
-- the group (trap 10). Where they may have been at work, the name is noted for them.

local groups, now, limit = ARGV[1], tonumber(ARGV[2]), ARGV[3]
local PATIENCE, MOST_VISITED = 120, 5000

redis.call('SCARD', KEYS[2])
redis.call('ZCARD', KEYS[3])

-- The group of a set, which is called as its group, a colon and an id of its own.
local function group_of(set)
  if string.sub(set, 1, #groups) == groups then
    return string.match(string.sub(set, #groups + 1), '^(.+):[^:]*$')
  end
end

-- Whether nothing is left to do about the set.
local function dissolve(set)
  local name = group_of(set)
  if name and redis.call('EXISTS', set) == 1 then
    local group = groups .. name
    -- A key of a wrong type keeps its members where they are.
    if type(redis.pcall('ZUNIONSTORE', group, 2, group, set, 'AGGREGATE', 'MIN')) ~= 'number' then
      return false
    end
    redis.call('SADD', KEYS[2], name)
    redis.call('DEL', set)
  end
  redis.call('ZREM', KEYS[1], set)
  return true
end

local function await(set, deadline)
  local name = group_of(set)
  if name then
    redis.call('ZADD', KEYS[3], deadline, deadline .. ':' .. name)
  end
end

local stale = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now, 'LIMIT', 0, limit)
local done = 0
for _, set in ipairs(stale) do
  done = done + (dissolve(set) and 1 or 0)
end
local taken = redis.call('ZRANGEBYSCORE', KEYS[1], '(' .. now, '+inf', 'WITHSCORES', 'LIMIT', 0, limit)
for n = 1, #taken, 2 do
  await(taken[n], taken[n + 1])
end
local visited = redis.call('ZRANGEBYSCORE', KEYS[3], '-inf', now, 'WITHSCORES', 'LIMIT', 0, MOST_VISITED)
for n = 1, #visited, 2 do
  local name = string.match(visited[n], '^[^:]*:(.+)$')
  if name and redis.call('EXISTS', groups .. name) == 1 then
    redis.call('SADD', KEYS[2], name)
  end
  if tonumber(visited[n + 1]) <= now - PATIENCE then
    redis.call('ZREM', KEYS[3], visited[n])
  end
end
return done
