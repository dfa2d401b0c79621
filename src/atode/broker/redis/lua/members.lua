-- members.lua: the first jobs of a group (protocol, 9.2).
-- KEYS  1 group (zset; score = since when, s)   2 names of groups
-- ARGV  1 prefix of job hashes   2 name of the group   3 members to pass over   4 most ids to
--       look at   5 bytes of messages after which to stop
-- Returns how many ids are left behind those that were looked at, then for each member: id,
-- message. Ids without a job, or whose job is elsewhere, are dropped.

local jobs, offset, limit, bytes = ARGV[1], tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])

redis.call('SCARD', KEYS[2])
local size, looked, reply, gone = redis.call('ZCARD', KEYS[1]), 0, {0}, {}
for _, id in ipairs(redis.call('ZRANGE', KEYS[1], offset, offset + limit - 1)) do
  if bytes <= 0 then
    break
  end
  looked = looked + 1
  local stored = redis.pcall('HMGET', jobs .. id, 'msg', 'state')
  if stored[1] and stored[2] == 'aggregating' then
    reply[#reply + 1] = id
    reply[#reply + 1] = stored[1]
    bytes = bytes - #stored[1]
  else
    gone[#gone + 1] = id
    if not stored.err and not stored[1] then
      -- What asynq leaves of an id without a job would block that id for ever.
      redis.call('DEL', jobs .. id)
    end
  end
end
if #gone > 0 then
  redis.call('ZREM', KEYS[1], unpack(gone))
  forget_if_empty(KEYS[1], KEYS[2], ARGV[2])
end
reply[1] = math.max(size - offset - looked, 0)
return reply
