-- _take.lua: take jobs of one queue out of where they wait; in front of what operators do.
-- places: by state, the list or zset of its jobs (aggregating: the names of groups); a state
--   that is not there is left alone   jobs, groups: prefixes   limit: at most a thousand
-- Both ways return the ids that were taken, and how many ids were looked at.

-- Comparisons in the pending list after which a script takes no more jobs from it by id.
local MOST_COMPARISONS = 1000000

-- Keys of a wrong type must fail here, before anything is written.
local function test(places)
  for state, key in pairs(places) do
    redis.call(state == 'pending' and 'LLEN' or state == 'aggregating' and 'SCARD' or 'ZCARD', key)
  end
end

-- A job whose group is of a wrong type is left alone: others may have been taken before it.
local function take_from_group(names, groups, group, id)
  local taken = redis.pcall('ZREM', groups .. group, id)
  if redis.call('EXISTS', groups .. group) == 0 then
    redis.call('SREM', names, group)
  end
  return type(taken) == 'number' and taken or 0
end

-- The jobs whose ids are the arguments from number `first` on.
local function take_named(places, jobs, groups, first)
  local taken, looked, comparisons = {}, 0, 0
  for at = first, #ARGV do
    if comparisons >= MOST_COMPARISONS then
      break
    end
    local id, gone = ARGV[at], 0
    local stored = redis.pcall('HMGET', jobs .. id, 'state', 'group')
    local state = stored[1]
    local place = state and places[state]
    if place and state == 'pending' then
      comparisons = comparisons + redis.call('LLEN', place)
      gone = redis.call('LREM', place, -1, id)
    elseif place and state == 'aggregating' then
      gone = take_from_group(place, groups, stored[2] or '', id)
    elseif place then
      gone = redis.call('ZREM', place, id)
    end
    if gone == 1 then
      taken[#taken + 1] = id
    end
    looked = looked + 1
  end
  return taken, looked
end

local function first_of_list(key, limit)
  local window = redis.call('LRANGE', key, -limit, -1)
  redis.call('LTRIM', key, 0, -limit - 1)
  local ids = {}
  for n = #window, 1, -1 do
    ids[#ids + 1] = window[n]
  end
  return ids
end

local function first_of_zset(key, limit)
  local ids = redis.call('ZRANGE', key, 0, limit - 1)
  if #ids > 0 then
    redis.call('ZREM', key, unpack(ids))
  end
  return ids
end

local function first_of_groups(names, groups, limit)
  local ids, known = {}, redis.call('SMEMBERS', names)
  -- As in `test`.
  for _, group in ipairs(known) do
    redis.call('ZCARD', groups .. group)
  end
  for _, group in ipairs(known) do
    if #ids < limit then
      for _, id in ipairs(first_of_zset(groups .. group, limit - #ids)) do
        ids[#ids + 1] = id
      end
    end
    if redis.call('EXISTS', groups .. group) == 0 then
      redis.call('SREM', names, group)
    end
  end
  return ids
end

-- The first `limit` jobs in a state; ids without a job are dropped.
local function take_first(places, jobs, groups, state, limit)
  local ids
  if state == 'pending' then
    ids = first_of_list(places[state], limit)
  elseif state == 'aggregating' then
    ids = first_of_groups(places[state], groups, limit)
  else
    ids = first_of_zset(places[state], limit)
  end
  local taken = {}
  for _, id in ipairs(ids) do
    local stored = redis.pcall('HEXISTS', jobs .. id, 'msg')
    if stored == 1 then
      taken[#taken + 1] = id
    elseif stored == 0 then
      -- What asynq leaves of an id without a job would block that id for ever.
      redis.call('DEL', jobs .. id)
    end
  end
  return taken, #ids
end

-- All of a state, or named ones where `state` is ''.
local function take(places, jobs, groups, state, limit, first)
  test(places)
  if state == '' then
    return take_named(places, jobs, groups, first)
  end
  return take_first(places, jobs, groups, state, limit)
end
