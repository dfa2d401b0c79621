-- find.lua: a page of one queue's jobs in one state (protocol, 13: list).
-- KEYS  1 the state's list or zset; for aggregating jobs the names of groups
-- ARGV  1 prefix of job hashes   2 prefix of groups   3 state   4 jobs to pass over
--       5 most ids to look at   6 bytes of messages and results after which to stop
-- Returns how many ids were looked at, fewer than asked for only at the end or after that many
-- bytes; '1' if it was the bytes, else '0'; then for each job: id, score ('' in a list), message,
-- result, private due instant. Ids without a job are left out.

local jobs, groups, state = ARGV[1], ARGV[2], ARGV[3]
local offset, limit, bytes = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])

-- Ids and scores of a zset, as ZRANGE gives them.
local function ranked(key, from, most)
  return redis.call('ZRANGE', key, from, from + most - 1, 'WITHSCORES')
end

-- The tail of the list is next in line.
local function listed(key)
  local ids = redis.call('LRANGE', key, -offset - limit, -offset - 1)
  local found = {}
  for n = #ids, 1, -1 do
    found[#found + 1] = ids[n]
    found[#found + 1] = ''
  end
  return found
end

-- All groups as if they were one zset.
local function grouped()
  local members, found = {}, {}
  for _, name in ipairs(redis.call('SMEMBERS', KEYS[1])) do
    local first = ranked(groups .. name, 0, offset + limit)
    for n = 1, #first, 2 do
      members[#members + 1] = {id = first[n], score = first[n + 1]}
    end
  end
  table.sort(members, function(a, b)
    local one, other = tonumber(a.score), tonumber(b.score)
    return one < other or (one == other and a.id < b.id)
  end)
  for n = offset + 1, math.min(offset + limit, #members) do
    found[#found + 1] = members[n].id
    found[#found + 1] = members[n].score
  end
  return found
end

local found
if state == 'pending' or state == 'active' then
  found = listed(KEYS[1])
elseif state == 'aggregating' then
  found = grouped()
else
  found = ranked(KEYS[1], offset, limit)
end

local reply = {0, '0'}
for n = 1, #found, 2 do
  if bytes <= 0 then
    reply[2] = '1'
    break
  end
  local stored = redis.pcall('HMGET', jobs .. found[n], 'msg', 'result', 'due')
  if stored[1] then
    bytes = bytes - #stored[1] - #(stored[2] or '')
    for _, part in ipairs({found[n], found[n + 1], stored[1], stored[2] or '', stored[3] or ''}) do
      reply[#reply + 1] = part
    end
  end
  reply[1] = reply[1] + 1
end
return reply
