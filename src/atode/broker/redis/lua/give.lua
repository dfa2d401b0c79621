-- give.lua: what is known of one queue's jobs in one state, for another store; they stay.
-- KEYS  1 the state's list or zset; for aggregating jobs the names of groups   2 paused flag
--       3 how the move of this queue stands
-- ARGV  1 prefix of job hashes   2 prefix of groups   3 prefix of locks   4 state
--       5 jobs to pass over   6 most ids to look at   7 bytes of messages and results after which
--       to stop   8 mover
-- Returns 'paused' if the queue is not, or 'mover' if that is another one. Else how many ids were
-- looked at; then for each job: id, score ('' in a list), message ('' where its key holds something
-- else), result, private due instant, start of its wait in ns, when it was cancelled, group, and for
-- how long it holds its lock, ms. Ids without a job are dropped.

local jobs, groups, locks, state = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local offset, limit, bytes = tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])
local FIELDS = {'msg', 'result', 'due', 'pending_since', 'cancelled', 'group', 'unique_key'}

if redis.call('HGET', KEYS[3], 'mover') ~= ARGV[8] then
  return 'mover'
end
if redis.call('EXISTS', KEYS[2]) == 0 then
  return 'paused'
end

-- Places of jobs, each with its id, its score, and where that stands.
local found = {}

local function add(id, score, place)
  found[#found + 1] = {id = id, score = score, place = place}
end

local function add_ranked(key, from, most)
  local ranked = redis.call('ZRANGE', key, from, from + most - 1, 'WITHSCORES')
  for n = 1, #ranked, 2 do
    add(ranked[n], ranked[n + 1], key)
  end
end

if state == 'pending' then
  -- The tail of the list is next in line.
  local ids = redis.call('LRANGE', KEYS[1], -offset - limit, -offset - 1)
  for n = #ids, 1, -1 do
    add(ids[n], '', KEYS[1])
  end
elseif state == 'aggregating' then
  local names, before = redis.call('SMEMBERS', KEYS[1]), 0
  table.sort(names)
  for _, name in ipairs(names) do
    local size = redis.call('ZCARD', groups .. name)
    if #found < limit and offset < before + size then
      add_ranked(groups .. name, math.max(offset - before, 0), limit - #found)
    end
    before = before + size
  end
else
  add_ranked(KEYS[1], offset, limit)
end

local function drop(entry)
  if state == 'pending' then
    redis.call('LREM', entry.place, -1, entry.id)
  else
    redis.call('ZREM', entry.place, entry.id)
  end
  -- What asynq leaves of an id without a job would block that id for ever.
  redis.call('DEL', jobs .. entry.id)
end

local reply, looked = {0}, 0
for _, entry in ipairs(found) do
  if bytes <= 0 then
    break
  end
  looked = looked + 1
  local stored = redis.pcall('HMGET', jobs .. entry.id, unpack(FIELDS))
  if not stored.err and not stored[1] then
    drop(entry)
  else
    stored = stored.err and {} or stored
    reply[#reply + 1] = entry.id
    reply[#reply + 1] = entry.score
    for n = 1, 6 do
      reply[#reply + 1] = stored[n] or ''
    end
    local lock = lock_of(locks, entry.id, stored[7], stored[1])
    reply[#reply + 1] = lock and redis.call('PTTL', lock) or 0
    bytes = bytes - #(stored[1] or '') - #(stored[2] or '')
  end
end
reply[1] = looked
return reply
