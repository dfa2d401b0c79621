-- _member.lua: take jobs out of their group; in front of the scripts that do.
-- group: its zset   names: the set of all groups' names   name: its own among them

-- Whether the job is in the group, with the message whose SHA-1 is given.
local function is_member(group, jobs, id, digest)
  if not redis.call('ZSCORE', group, id) then
    return false
  end
  local message = redis.pcall('HGET', jobs .. id, 'msg')
  return type(message) == 'string' and redis.sha1hex(message) == digest
end

local function forget_if_empty(group, names, name)
  if redis.call('EXISTS', group) == 0 then
    redis.call('SREM', names, name)
  end
end
