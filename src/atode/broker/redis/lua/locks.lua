-- locks.lua: which locks of unique jobs are wrong (protocol, 7.3).
-- KEYS  1 a lock   and so on
-- ARGV  1 prefix of job hashes   2 number of locks
-- Returns the places (from 1) of those whose job is gone, 0, and the places of those that never end.

local orphans, endless = {}, {}
for n = 1, tonumber(ARGV[2]) do
  local holder = redis.pcall('GET', KEYS[n])
  if type(holder) == 'string' then
    if redis.call('EXISTS', ARGV[1] .. holder) == 0 then
      orphans[#orphans + 1] = n
    end
    if redis.call('TTL', KEYS[n]) == -1 then
      endless[#endless + 1] = n
    end
  end
end
orphans[#orphans + 1] = 0
for _, n in ipairs(endless) do
  orphans[#orphans + 1] = n
end
return orphans
