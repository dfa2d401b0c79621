-- show.lua: show what a scheduler runs (protocol, 12.2: heartbeat).
-- KEYS  1 list of its entries
-- ARGV  1 lifetime in s   then the entries in the order in which they are read
-- Returns OK.

redis.call('DEL', KEYS[1])
for n = 2, #ARGV do
  redis.call('RPUSH', KEYS[1], ARGV[n])
end
redis.call('EXPIRE', KEYS[1], ARGV[1])
return redis.status_reply('OK')
