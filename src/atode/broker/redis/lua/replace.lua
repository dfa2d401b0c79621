-- replace.lua: give a scheduled job another message (protocol, 13: update payload).
-- KEYS  1 hash of the job   2 scheduled zset
-- ARGV  1 id   2 the message that was read   3 the message to write
-- Returns 1 if it is written, 0 if the job is not scheduled, -1 if the message is another one now.

local stored = redis.call('HMGET', KEYS[1], 'state', 'msg')
if stored[1] ~= 'scheduled' or not redis.call('ZSCORE', KEYS[2], ARGV[1]) then
  return 0
end
if stored[2] ~= ARGV[2] and stored[2] ~= ARGV[3] then
  return -1
end
redis.call('HSET', KEYS[1], 'msg', ARGV[3])
return 1
