-- expect.lua: let a mover bring the jobs of one queue from another store.
-- KEYS  1 paused flag   2 how the move of this queue stands   3 what was received (hash, id to
--       stamp)
-- ARGV  1 mover   2 name and 3 number of the last transport that is gone from the old store, ''
--       and 0 for none   4 '1' to pause the queue if nobody has begun to move it yet   5 now, s
-- Returns 1.

redis.call('HLEN', KEYS[3])
local is_first = redis.call('HSETNX', KEYS[2], 'receives', '1') == 1
if is_first and ARGV[4] == '1' then
  redis.call('SET', KEYS[1], ARGV[5], 'NX')
end
redis.call('HSET', KEYS[2], 'mover', ARGV[1])
if ARGV[2] ~= '' then
  forget(KEYS[3], ARGV[2], tonumber(ARGV[3]))
end
return 1
