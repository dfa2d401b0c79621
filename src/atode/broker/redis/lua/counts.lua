-- counts.lua: how many jobs of one queue are in each state (protocol, 13: current stats).
-- KEYS  1 pending list   2 active list   3 scheduled   4 retry   5 archived   6 completed zset
--       7 names of groups
-- ARGV  1 prefix of groups
-- Returns pending, active, scheduled, retry, archived, completed, aggregating.

local reply = {redis.call('LLEN', KEYS[1]), redis.call('LLEN', KEYS[2])}
for n = 3, 6 do
  reply[n] = redis.call('ZCARD', KEYS[n])
end
local aggregating = 0
for _, group in ipairs(redis.call('SMEMBERS', KEYS[7])) do
  aggregating = aggregating + redis.call('ZCARD', ARGV[1] .. group)
end
reply[7] = aggregating
return reply
