-- memory.lua: how much memory the jobs of one queue take, roughly (protocol, 13).
-- KEYS  1 pending list   2 active list   3 scheduled   4 retry   5 archived   6 completed zset
--       7 names of groups
-- ARGV  1 prefix of job hashes   2 prefix of groups   3 most jobs to measure in each container
--       4 most groups to measure
-- Returns bytes; 0 where the server does not tell. An id without a job takes none.

local jobs, groups, sample = ARGV[1], ARGV[2], tonumber(ARGV[3])

-- Some servers have no MEMORY, and some users may not ask.
local function bytes_of(key)
  local bytes = redis.pcall('MEMORY', 'USAGE', key)
  return type(bytes) == 'number' and bytes or 0
end

-- The container, and its jobs as if all were like those measured.
local function estimate(key, size, ids)
  local measured = 0
  for _, id in ipairs(ids) do
    measured = measured + bytes_of(jobs .. id)
  end
  return bytes_of(key) + (#ids > 0 and measured / #ids * size or 0)
end

local total = 0
for n = 1, 2 do
  total = total + estimate(KEYS[n], redis.call('LLEN', KEYS[n]), redis.call('LRANGE', KEYS[n], 0, sample - 1))
end
for n = 3, 6 do
  total = total + estimate(KEYS[n], redis.call('ZCARD', KEYS[n]), redis.call('ZRANGE', KEYS[n], 0, sample - 1))
end

local names = redis.call('SMEMBERS', KEYS[7])
local measured = math.min(#names, tonumber(ARGV[4]))
local in_groups = 0
for n = 1, measured do
  local key = groups .. names[n]
  in_groups = in_groups + estimate(key, redis.call('ZCARD', key), redis.call('ZRANGE', key, 0, sample - 1))
end
if measured > 0 then
  total = total + in_groups / measured * #names
end
return math.floor(total)
