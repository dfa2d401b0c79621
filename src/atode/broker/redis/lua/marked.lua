-- marked.lua: which claims of one queue hold a job that was cancelled for good.
-- KEYS  1 lease zset (score = expiry, s)
-- ARGV  1 prefix of job hashes   2 worker   3 number of claims   then their ids   then their
--       claim numbers
-- Returns the places (from 1) of those claims.

local jobs, worker, count = ARGV[1], ARGV[2], tonumber(ARGV[3])

local leases = redis.call('ZMSCORE', KEYS[1], unpack(ARGV, 4, 3 + count))
local marked = {}
for n = 1, count do
  local key = jobs .. ARGV[3 + n]
  -- Hardly any is marked, so that is asked first.
  if redis.pcall('HEXISTS', key, 'cancelled') == 1 and is_held(key, leases[n], worker, ARGV[3 + count + n]) then
    marked[#marked + 1] = n
  end
end
return marked
