-- beat.lua: show a worker and what it runs (protocol, 11: write server state).
-- KEYS  1 ServerInfo   2 hash of WorkerInfos, absent while nothing runs
-- ARGV  1 lifetime, s   2 ServerInfo   then for each running job: id, WorkerInfo
-- Returns nothing of interest.

redis.call('SETEX', KEYS[1], ARGV[1], ARGV[2])
redis.call('DEL', KEYS[2])
for at = 3, #ARGV, 2 do
  redis.call('HSET', KEYS[2], ARGV[at], ARGV[at + 1])
end
return redis.call('EXPIRE', KEYS[2], ARGV[1])
