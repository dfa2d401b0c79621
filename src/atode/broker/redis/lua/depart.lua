-- depart.lua: pause one queue, and let a mover take its jobs to another store.
-- KEYS  1 paused flag   2 how the move of this queue stands
-- ARGV  1 mover   2 now, s
-- Returns the stamp of the last jobs that were deleted because they had moved, '' for none; and '1'
-- if somebody had paused the queue, '0' if only a move had, or nobody.
-- A pause that somebody made, also with asynq's tools, shows by its instant, the flag's value.

redis.call('HSET', KEYS[2], 'mover', ARGV[1])
if redis.call('SET', KEYS[1], ARGV[2], 'NX') then
  redis.call('HSET', KEYS[2], 'paused', ARGV[2])
end
local known = redis.call('HMGET', KEYS[2], 'given', 'paused')
return {known[1] or '', known[2] == redis.call('GET', KEYS[1]) and '0' or '1'}
