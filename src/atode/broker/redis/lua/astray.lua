-- astray.lua: which jobs of one queue are in no container (protocol, trap 1), and on request
-- their way into the archive.
-- KEYS  1 pending list   2 active list   3 lease   4 scheduled   5 retry   6 archived
--       7 completed zset   8 aggregation sets (zset of keys)
-- ARGV  1 prefix of job hashes   2 prefix of groups   3 '1' to archive them, else '0'   4 now, s
--       then the ids
-- Returns how many ids were looked at: after a million comparisons in lists it ends early; then the
-- ids that are nowhere. A hash that holds no message is no job; it is deleted instead of archived.

local jobs, groups, archives = ARGV[1], ARGV[2], ARGV[3] == '1'
local lists = {pending = KEYS[1], active = KEYS[2]}
local zsets = {scheduled = KEYS[4], retry = KEYS[5], archived = KEYS[6], completed = KEYS[7]}
local comparisons = 0

local function in_list(key, id)
  comparisons = comparisons + redis.call('LLEN', key)
  return redis.call('LPOS', key, id)
end

local function in_group(id)
  local group = redis.call('HGET', jobs .. id, 'group')
  if not group then
    return false
  end
  if redis.call('ZSCORE', groups .. group, id) then
    return true
  end
  local prefix = groups .. group .. ':'
  for _, set in ipairs(redis.call('ZRANGE', KEYS[8], 0, -1)) do
    if string.sub(set, 1, #prefix) == prefix and redis.call('ZSCORE', set, id) then
      return true
    end
  end
  return false
end

-- Quick where the hash says so; in case it does not tell the truth, everywhere else.
local function is_somewhere(id, state)
  if zsets[state] and redis.call('ZSCORE', zsets[state], id) then
    return true
  end
  for _, key in pairs(zsets) do
    if redis.call('ZSCORE', key, id) then
      return true
    end
  end
  return redis.call('ZSCORE', KEYS[3], id) or in_group(id)
    or (lists[state] and in_list(lists[state], id))
    or in_list(KEYS[1], id) or in_list(KEYS[2], id)
end

for _, key in pairs(zsets) do
  redis.call('ZCARD', key)
end
local reply = {0}
for n = 5, #ARGV do
  if comparisons > 1000000 then
    break
  end
  local id = ARGV[n]
  local state = redis.pcall('HGET', jobs .. id, 'state')
  if type(state) ~= 'table' and redis.call('EXISTS', jobs .. id) == 1
    and not is_somewhere(id, state or '') then
    reply[#reply + 1] = id
    if archives and redis.call('HEXISTS', jobs .. id, 'msg') == 1 then
      redis.call('ZADD', KEYS[6], ARGV[4], id)
      redis.call('HSET', jobs .. id, 'state', 'archived')
    elseif archives then
      redis.call('DEL', jobs .. id)
    end
  end
  reply[1] = reply[1] + 1
end
return reply
