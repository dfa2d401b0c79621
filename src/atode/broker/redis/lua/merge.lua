-- merge.lua: put new pending jobs in place of members of a group (protocol, 9.3), in one step.
-- KEYS  1 group (zset)   2 names of groups   3 pending list
-- ARGV  1 prefix of job hashes   2 prefix of locks   3 name of the group   4 now, ns
--       5 number of members   then for each: id, SHA-1 of its message
--       then for each job: id, message
-- Returns 1 if it is done, also by an earlier sending; 0, without effect, if a member is not in
-- the group any more, or not the same. Unlike asynq, members' locks are released.

local jobs, locks, now_ns, count = ARGV[1], ARGV[2], ARGV[4], tonumber(ARGV[5])
local first_job = 6 + 2 * count

redis.call('SCARD', KEYS[2])
redis.call('LLEN', KEYS[3])
if redis.call('EXISTS', jobs .. ARGV[first_job]) == 1 then
  return 1
end
for at = 6, first_job - 1, 2 do
  if not is_member(KEYS[1], jobs, ARGV[at], ARGV[at + 1]) then
    return 0
  end
end

for at = 6, first_job - 1, 2 do
  local id = ARGV[at]
  unlock(jobs, locks, id)
  redis.call('ZREM', KEYS[1], id)
  redis.call('DEL', jobs .. id)
end
forget_if_empty(KEYS[1], KEYS[2], ARGV[3])
for at = first_job, #ARGV, 2 do
  local id, message = ARGV[at], ARGV[at + 1]
  redis.call('HSET', jobs .. id, 'msg', message, 'state', 'pending', 'pending_since', now_ns)
  redis.call('LPUSH', KEYS[3], id)
end
return 1
