-- audit.lua: what is wrong with some of the jobs in one container of a queue, and on request
-- its repair (protocol, 16 and 17).
-- KEYS  1 the container: a list or a zset   2 active list   3 lease zset
-- ARGV  1 prefix of job hashes   2 the state of its jobs   3 ids to pass over   4 most ids to look
--       at   5 '1' to repair, else '0'   6 now, s
-- Returns how many ids were looked at, and how many of them have left the container; then for each
-- kind their number and the first id: ghosts (ids without a job), unleased (active without a
-- lease), halfway (archived by half: the hash still says active), elsewhere (the hash says
-- another state), fractions (scores that are no whole seconds).
-- Repaired are all but the last but one: ghosts go, with what is left of a hash; unleased ones get
-- a lease that has just run out; halfway ones become archived; fractions are rounded up.

local jobs, state, offset, limit = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
local repairs, now = ARGV[5] == '1', ARGV[6]
local is_list = state == 'pending' or state == 'active'

redis.call('LLEN', KEYS[2])
redis.call('ZCARD', KEYS[3])
local ids, scores = {}, {}
if is_list then
  -- The tail is the oldest, as in every order here.
  local window = redis.call('LRANGE', KEYS[1], -offset - limit, -offset - 1)
  for n = #window, 1, -1 do
    ids[#ids + 1] = window[n]
  end
else
  local window = redis.call('ZRANGE', KEYS[1], offset, offset + limit - 1, 'WITHSCORES')
  for n = 1, #window, 2 do
    ids[#ids + 1] = window[n]
    scores[#scores + 1] = tonumber(window[n + 1])
  end
end

local found = {ghosts = {}, unleased = {}, halfway = {}, elsewhere = {}, fractions = {}}

local function note(kind, n)
  table.insert(found[kind], n)
end

local function is_running(id)
  return redis.call('ZSCORE', KEYS[3], id) or redis.call('LPOS', KEYS[2], id)
end

for n, id in ipairs(ids) do
  local stored = redis.pcall('HGET', jobs .. id, 'state')
  local is_job = redis.pcall('HEXISTS', jobs .. id, 'msg')
  if is_job == 0 then
    note('ghosts', n)
  elseif is_job == 1 then
    if stored ~= state then
      note(state == 'archived' and stored == 'active' and not is_running(id) and 'halfway' or 'elsewhere', n)
    elseif state == 'active' and not redis.call('ZSCORE', KEYS[3], id) then
      note('unleased', n)
    end
    if scores[n] and scores[n] % 1 ~= 0 then
      note('fractions', n)
    end
  end
end

local left = 0
if repairs then
  for _, n in ipairs(found.unleased) do
    redis.call('ZADD', KEYS[3], now, ids[n])
  end
  for _, n in ipairs(found.halfway) do
    redis.call('HSET', jobs .. ids[n], 'state', 'archived')
  end
  for _, n in ipairs(found.fractions) do
    if state == 'scheduled' or state == 'retry' then
      -- Our own workers still start it at the exact instant.
      redis.call('HSET', jobs .. ids[n], 'due', string.format('%.17g', scores[n]))
    end
    redis.call('ZADD', KEYS[1], 'XX', string.format('%.0f', math.ceil(scores[n])), ids[n])
  end
  local ghosts = {}
  for _, n in ipairs(found.ghosts) do
    ghosts[#ghosts + 1] = ids[n]
    redis.call('DEL', jobs .. ids[n])
    redis.call('ZREM', KEYS[3], ids[n])
  end
  left = #ghosts
  if left > 0 and is_list then
    remove_all(KEYS[1], ghosts)
  elseif left > 0 then
    redis.call('ZREM', KEYS[1], unpack(ghosts))
  end
end

local reply = {#ids, left}
for _, kind in ipairs({'ghosts', 'unleased', 'halfway', 'elsewhere', 'fractions'}) do
  reply[#reply + 1] = #found[kind]
  reply[#reply + 1] = ids[found[kind][1] or 0] or ''
end
return reply
