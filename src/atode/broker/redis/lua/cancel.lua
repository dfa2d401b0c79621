-- cancel.lua: see to it that jobs of one queue do not run (again). Those that wait are archived;
-- those that run are marked, and their workers told.
-- KEYS  1 pending list   2 scheduled   3 retry   4 archived zset (score = now, s)
--       5 names of groups   6 lease zset (score = expiry, s)
-- ARGV  1 prefix of job hashes   2 the state whose first jobs are meant, '' for ids   3 how many
--       4 now, s   5 archived up to this second are too old   6 archived jobs to keep
--       7 prefix of groups   8 what to add to a message, so that it says that and when the job was
--       cancelled: readers take the last of two values (protocol, 4)   9 the mark
--       10 channel of our workers   11 channel of Go's   then the ids
-- Returns how many were cancelled, and how many ids were looked at. Jobs that have ended, and
-- those that a Go server is aggregating, are left alone.

local jobs = ARGV[1]
local places = {pending = KEYS[1], scheduled = KEYS[2], retry = KEYS[3], aggregating = KEYS[5]}

local function archive(id)
  local key = jobs .. id
  redis.call('ZADD', KEYS[4], ARGV[4], id)
  redis.call('HSET', key, 'state', 'archived', 'msg', (redis.call('HGET', key, 'msg') or '') .. ARGV[8])
  redis.call('HDEL', key, 'due', 'pending_since', 'cancelled', 'group')
end

local function mark(id)
  redis.call('HSET', jobs .. id, 'cancelled', ARGV[9])
  local expiry = tonumber(redis.call('ZSCORE', KEYS[6], id) or nil)
  -- A whole second is the lease of a Go worker (see claim.lua), which knows no marks. It stops
  -- its handler, and the job waits for its retry until one of our workers sees the mark.
  local channel = expiry and expiry % 1 == 0 and ARGV[11] or ARGV[10]
  redis.pcall('PUBLISH', channel, id)
end

redis.call('ZCARD', KEYS[4])
redis.call('ZCARD', KEYS[6])
local taken, looked = take(places, jobs, ARGV[7], ARGV[2], tonumber(ARGV[3]), 12)
for _, id in ipairs(taken) do
  archive(id)
end
local marked = 0
for at = 12, math.min(#ARGV, 11 + looked) do
  if redis.pcall('HGET', jobs .. ARGV[at], 'state') == 'active' then
    mark(ARGV[at])
    marked = marked + 1
  end
end
if #taken > 0 then
  -- More than one call adds, so that a huge archive shrinks.
  trim_archive(KEYS[4], jobs, ARGV[5], tonumber(ARGV[6]), 1000)
end
return {#taken + marked, looked}
