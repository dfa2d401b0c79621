-- take_place.lua: take a place in a scope (protocol, 11: x/rate), or keep the one that is taken.
-- KEYS  1 taken places (zset: holder → the second in which its time ends)
-- ARGV  1 limit   2 now, s   3 holder   4 until, s
-- Returns 1 if the place is taken, 0 if others have all of them.

redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', ARGV[2] - 1)
-- Unlike asynq's, a holder that has a place never stands in its own way.
if not redis.call('ZSCORE', KEYS[1], ARGV[3]) and redis.call('ZCARD', KEYS[1]) >= ARGV[1] + 0 then
  return 0
end
redis.call('ZADD', KEYS[1], ARGV[4], ARGV[3])
return 1
