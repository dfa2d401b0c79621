-- groups.lua: some of one queue's groups.
-- KEYS  1 names of groups
-- ARGV  1 prefix of job hashes   2 prefix of groups   3 where the last call ended, '0' at first
--       4 about how many groups to look at
-- Returns where to go on, '0' at the end; then for each group: name, size, the lowest and the
-- highest score, and the task of the first member ('' if that cannot be told). A name may come
-- twice. Names of groups without members, as asynq leaves them, are dropped.

local jobs, groups = ARGV[1], ARGV[2]

local function task_of(id)
  local message = redis.pcall('HGET', jobs .. id, 'msg')
  return type(message) == 'string' and field_of(message, 1) or ''
end

local found = redis.call('SSCAN', KEYS[1], ARGV[3], 'COUNT', ARGV[4])
local reply = {found[1]}
for _, name in ipairs(found[2]) do
  local key = groups .. name
  local size = redis.pcall('ZCARD', key)
  if size == 0 then
    redis.call('SREM', KEYS[1], name)
  elseif type(size) == 'number' then
    local first = redis.call('ZRANGE', key, 0, 0, 'WITHSCORES')
    local last = redis.call('ZRANGE', key, -1, -1, 'WITHSCORES')
    for _, part in ipairs({name, size, first[2], last[2], task_of(first[1])}) do
      reply[#reply + 1] = part
    end
  end
end
return reply
