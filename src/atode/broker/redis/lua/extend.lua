-- extend.lua: hold claims of one queue for longer (protocol, 8.8).
-- KEYS  1 lease zset (score = expiry, s)
-- ARGV  1 prefix of job hashes   2 new expiry (never a whole second, see claim.lua)
--       3 worker   4 number of claims   then their ids   then their claim numbers
-- Returns the places (from 1) of the claims that are lost.

local jobs, expiry, worker, count = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4])

local leases = redis.call('ZMSCORE', KEYS[1], unpack(ARGV, 5, 4 + count))
local lost, kept = {}, {}
for n = 1, count do
  local id, number = ARGV[4 + n], ARGV[4 + count + n]
  if is_held(jobs .. id, leases[n], worker, number) then
    kept[#kept + 1] = expiry
    kept[#kept + 1] = id
  else
    lost[#lost + 1] = n
  end
end
if #kept > 0 then
  redis.call('ZADD', KEYS[1], 'XX', unpack(kept))
end
return lost
