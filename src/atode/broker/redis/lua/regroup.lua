-- regroup.lua: whether nobody looks at a group with jobs, and on request a place where all look
-- (protocol, trap 10).
-- KEYS  1 names of groups   2 the group's zset
-- ARGV  1 the group's name   2 '1' to put it among the names, else '0'
-- Returns 1 if nobody looks at it, or did, else 0.

if redis.call('EXISTS', KEYS[2]) == 0 or redis.call('SISMEMBER', KEYS[1], ARGV[1]) == 1 then
  return 0
end
if ARGV[2] == '1' then
  redis.call('SADD', KEYS[1], ARGV[1])
end
return 1
