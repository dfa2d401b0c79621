-- regroup.lua: make a group known again whose jobs nobody looks at (protocol, trap 10).
-- KEYS  1 names of groups   2 the group's zset
-- ARGV  1 the group's name
-- Returns 1 if it was not known, 0 if it was, or if it is gone.

if redis.call('EXISTS', KEYS[2]) == 0 then
  return 0
end
return redis.call('SADD', KEYS[1], ARGV[1])
