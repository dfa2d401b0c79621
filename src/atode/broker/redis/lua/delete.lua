-- delete.lua: delete jobs of one queue by hand, with their locks (protocol, 13: delete).
-- KEYS  1 pending list   2 scheduled   3 retry   4 archived   5 completed zset
--       6 names of groups
-- ARGV  1 prefix of job hashes   2 the state whose first jobs are meant, '' for ids   3 how many
--       4 prefix of groups   5 prefix of locks   then the ids
-- Returns how many were deleted, and how many ids were looked at. Active jobs, and those that
-- a Go server is aggregating, are left alone.

local jobs = ARGV[1]
local places = {
  pending = KEYS[1], scheduled = KEYS[2], retry = KEYS[3], archived = KEYS[4],
  completed = KEYS[5], aggregating = KEYS[6],
}

local taken, looked = take(places, jobs, ARGV[4], ARGV[2], tonumber(ARGV[3]), 6)
for _, id in ipairs(taken) do
  unlock(jobs, ARGV[5], id)
  redis.call('DEL', jobs .. id)
end
return {#taken, looked}
