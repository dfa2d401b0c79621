-- free_place.lua: give back a place in a scope (protocol, 11: x/rate) that was taken until then.
-- KEYS  1 taken places (zset: holder → the second in which its time ends)
-- ARGV  1 holder   2 until, s, as it was when the place was taken
-- Returns 1 if it was there, 0 if not.

local ends = redis.call('ZSCORE', KEYS[1], ARGV[1])
if not ends or tonumber(ends) ~= tonumber(ARGV[2]) then
  return 0
end
return redis.call('ZREM', KEYS[1], ARGV[1])
