-- undefine.lua: remove the definition of a schedule that has a version.
-- KEYS  1 definitions, as in define.lua
-- ARGV  1 id   2 version
-- Returns 1 if it is removed, 0 if there is none, -1 if another one is there.

local stored = redis.call('HGET', KEYS[1], ARGV[1])
if not stored then
  return 0
end
if string.match(stored, '^%d+') ~= ARGV[2] then
  return -1
end

local revision = (tonumber(redis.call('HGET', KEYS[1], '')) or 0) + 1
redis.call('HSET', KEYS[1], '', revision)
redis.call('HDEL', KEYS[1], ARGV[1])
redis.pcall('PUBLISH', KEYS[1], revision)
return 1
