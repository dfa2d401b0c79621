-- run.lua: make jobs of one queue pending by hand, last in line (protocol, 13: run).
-- KEYS  1 pending list   2 scheduled   3 retry   4 archived   5 completed zset
--       6 names of groups
-- ARGV  1 prefix of job hashes   2 the state whose first jobs are meant, '' for ids   3 how many
--       4 prefix of groups   5 now, ns   then the ids
-- Returns how many became pending, and how many ids were looked at. Ids whose job is in
-- another state, or nowhere, are left alone.

local jobs = ARGV[1]
local places = {
  scheduled = KEYS[2], retry = KEYS[3], archived = KEYS[4], completed = KEYS[5],
  aggregating = KEYS[6],
}

redis.call('LLEN', KEYS[1])
local taken, looked = take(places, jobs, ARGV[4], ARGV[2], tonumber(ARGV[3]), 6)
if #taken > 0 then
  redis.call('LPUSH', KEYS[1], unpack(taken))
end
for _, id in ipairs(taken) do
  redis.call('HSET', jobs .. id, 'state', 'pending', 'pending_since', ARGV[5])
  -- What is run alone must not fall back into its group with the next retry (trap 10).
  redis.call('HDEL', jobs .. id, 'due', 'group', 'cancelled')
end
return {#taken, looked}
