-- release.lua: let members of a group leave it alone: they become pending, last in line, or go
-- into the archive.
-- KEYS  1 group (zset)   2 names of groups   3 pending list   4 archived (zset; score = now, s)
-- ARGV  1 prefix of job hashes   2 name of the group   3 now, s   4 now, ns
--       then for each member: id, SHA-1 of its message, and the message for the archive
--       ('' = it becomes pending)
-- Returns how many left; those that are not in the group any more are left alone.

local jobs, left = ARGV[1], 0

redis.call('SCARD', KEYS[2])
redis.call('LLEN', KEYS[3])
redis.call('ZCARD', KEYS[4])
for at = 5, #ARGV, 3 do
  local id, message = ARGV[at], ARGV[at + 2]
  local key = jobs .. id
  if is_member(KEYS[1], jobs, id, ARGV[at + 1]) then
    redis.call('ZREM', KEYS[1], id)
    if message == '' then
      redis.call('LPUSH', KEYS[3], id)
      redis.call('HSET', key, 'state', 'pending', 'pending_since', ARGV[4])
    else
      redis.call('ZADD', KEYS[4], ARGV[3], id)
      redis.call('HSET', key, 'state', 'archived', 'msg', message)
    end
    -- What is run alone must not fall back into its group with the next retry (trap 10).
    redis.call('HDEL', key, 'group')
    left = left + 1
  end
end
forget_if_empty(KEYS[1], KEYS[2], ARGV[2])
return left
