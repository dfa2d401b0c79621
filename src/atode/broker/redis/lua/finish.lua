-- finish.lua: forget what was remembered while one queue was being moved, but not that it is
-- paused for that.
-- KEYS  1 how the move of this queue stands   2 what was received
-- ARGV  1 mover
-- Returns 1, or 0 if there is another mover.

if redis.call('HGET', KEYS[1], 'mover') ~= ARGV[1] then
  return 0
end
redis.call('HDEL', KEYS[1], 'mover', 'given', 'receives')
redis.call('DEL', KEYS[2])
return 1
