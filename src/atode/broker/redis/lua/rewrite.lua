-- rewrite.lua: give a job a message that can be read (protocol, trap 4).
-- KEYS  1 hash of the job
-- ARGV  1 the message that was read   2 the state that was read   3 the message to write
-- Returns 1 if it is written, 0 if the job is another one by now.

local stored = redis.call('HMGET', KEYS[1], 'msg', 'state')
if stored[1] ~= ARGV[1] or stored[2] ~= ARGV[2] then
  return 0
end
redis.call('HSET', KEYS[1], 'msg', ARGV[3])
return 1
