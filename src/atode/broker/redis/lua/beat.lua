-- beat.lua: show a worker and what it runs (protocol, 11: write server state), and hear a wish.
-- KEYS  1 ServerInfo   2 hash of WorkerInfos, absent while nothing runs   3 last wish for its size
-- ARGV  1 lifetime, s   2 ServerInfo   then for each running job: id, WorkerInfo
-- Returns the wish, '' for none. Its key is there for as long as the worker lives, so that who
-- wishes can tell whether it is heard.

redis.call('SETEX', KEYS[1], ARGV[1], ARGV[2])
redis.call('DEL', KEYS[2])
for at = 3, #ARGV, 2 do
  redis.call('HSET', KEYS[2], ARGV[at], ARGV[at + 1])
end
redis.call('EXPIRE', KEYS[2], ARGV[1])
local wish = redis.call('GET', KEYS[3]) or ''
redis.call('SETEX', KEYS[3], ARGV[1], wish)
return wish
