-- free_place.lua: give back a place in a scope (protocol, 11: x/rate) that was taken until then.
-- KEYS  1 taken places (zset: holder → the second in which its time ends)
-- ARGV  1 now, s   2 holder   3 until, s, as it was when the place was taken
-- Returns 1 if it was there and its time is not over, 0 if not.

local ends = tonumber(redis.call('ZSCORE', KEYS[1], ARGV[2]) or '')
if ends ~= tonumber(ARGV[3]) or ends < tonumber(ARGV[1]) then
  return 0
end
return redis.call('ZREM', KEYS[1], ARGV[2])
