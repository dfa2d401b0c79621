-- define.lua: store the definition of a schedule in place of the one that has a version.
-- KEYS  1 definitions (hash: id → 'version body'; under no name the revision of all), which is
--       also the channel that tells of new revisions
-- ARGV  1 id   2 version that is to be replaced, 0 for none   3 body
-- Returns the version that it has now, which is the new revision; or that under which the same
-- body is stored already; 0 if another one is there.

local stored = redis.call('HGET', KEYS[1], ARGV[1])
local version = stored and string.match(stored, '^%d+') or '0'
if version ~= ARGV[2] then
  local is_same = stored and string.sub(stored, #version + 2) == ARGV[3]
  return is_same and tonumber(version) or 0
end

local revision = (tonumber(redis.call('HGET', KEYS[1], '')) or 0) + 1
redis.call('HSET', KEYS[1], '', revision, ARGV[1], string.format('%d %s', revision, ARGV[3]))
-- Without the right to publish, workers see it when they look.
redis.pcall('PUBLISH', KEYS[1], revision)
return revision
