-- archive.lua: move jobs of one queue into the archive by hand (protocol, 13: archive).
-- KEYS  1 pending list   2 scheduled   3 retry   4 archived (score = now, s)   5 completed zset
--       6 names of groups
-- ARGV  1 prefix of job hashes   2 the state whose first jobs are meant, '' for ids   3 how many
--       4 prefix of groups   5 now, s   6 archived up to this second are too old   7 archived
--       jobs to keep   then the ids
-- Returns how many were moved, and how many ids were looked at. Ids whose job is in another
-- state, or nowhere, are left alone. Unlike asynq, what the archive drops is deleted.

local jobs = ARGV[1]
local places = {
  pending = KEYS[1], scheduled = KEYS[2], retry = KEYS[3], completed = KEYS[5],
  aggregating = KEYS[6],
}

redis.call('ZCARD', KEYS[4])
local taken, looked = take(places, jobs, ARGV[4], ARGV[2], tonumber(ARGV[3]), 8)
for _, id in ipairs(taken) do
  redis.call('ZADD', KEYS[4], ARGV[5], id)
  redis.call('HSET', jobs .. id, 'state', 'archived')
  redis.call('HDEL', jobs .. id, 'due', 'pending_since', 'group', 'cancelled')
end
if #taken > 0 then
  -- More than one call adds, so that a huge archive shrinks.
  trim_archive(KEYS[4], jobs, ARGV[6], tonumber(ARGV[7]), 1000)
end
return {#taken, looked}
