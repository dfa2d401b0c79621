-- settle.lua: write how claims of one queue ended (protocol, 8.2 to 8.6).
-- KEYS  1 active list   2 lease zset   3 pending list   4 retry zset (score = due, s, rounded
--       up)   5 archived zset (score = now, s)   6 completed zset (score = kept until, s)
--       7 processed and 8 failed of the day   9 processed and 10 failed of all time
--       then the locks of unique jobs that succeeded
-- ARGV  1 prefix of job hashes   2 worker   3 expiry of the daily counters, s
--       4 archived up to this second are too old   5 archived jobs to keep
--       6 channel for jobs due soon   7 the earliest due instant of those, '' for none
--       8 now, s   9 what to add to the message of a cancelled job (see cancel.lua)
--       10 number of claims   then their ids   then for each claim:
--       claim number, tally (nothing, success, failure), next state ('' = deleted), and unless
--       it is deleted: score, message ('' = as it is), exact due ('' = the score), result
--       then for each lock: the place of its claim
-- Those that become pending are first in line, in the order in which they are given.
-- Returns the places (from 1) of the refused ones: the claim does not hold the job.
-- A job that was cancelled meanwhile does not run again: it is archived instead.

local jobs, worker, count_of_claims = ARGV[1], ARGV[2], tonumber(ARGV[10])
local containers = {retry = KEYS[4], archived = KEYS[5], completed = KEYS[6]}

-- State, score, message and exact due of a job after its attempt, unless it was cancelled.
local function ending(id, state, score, message, due)
  if (state ~= 'retry' and state ~= 'pending') or redis.call('HEXISTS', jobs .. id, 'cancelled') == 0 then
    return state, score, message, due
  end
  message = message ~= '' and message or redis.call('HGET', jobs .. id, 'msg') or ''
  return 'archived', ARGV[8], message .. ARGV[9], ''
end

-- Puts the job where its next state wants it.
local function move(id, state, score, message, due, result)
  local key = jobs .. id
  local fields, dropped = {'state', state}, {'owner', 'cancelled'}
  if state ~= 'pending' then
    redis.call('ZADD', containers[state], score, id)
  end
  if message ~= '' then
    fields[#fields + 1] = 'msg'
    fields[#fields + 1] = message
  end
  if due ~= '' then
    fields[#fields + 1] = 'due'
    fields[#fields + 1] = due
  else
    dropped[#dropped + 1] = 'due'
  end
  if result ~= '' then
    fields[#fields + 1] = 'result'
    fields[#fields + 1] = result
  elseif state == 'completed' then
    dropped[#dropped + 1] = 'result'
  end
  redis.call('HSET', key, unpack(fields))
  redis.call('HDEL', key, unpack(dropped))
end

-- Keys of a wrong type must fail here, before anything is written.
redis.call('LLEN', KEYS[1])
redis.call('LLEN', KEYS[3])
for _, zset in pairs(containers) do
  redis.call('ZCARD', zset)
end

local leases = redis.call('ZMSCORE', KEYS[2], unpack(ARGV, 11, 10 + count_of_claims))
local refused, ended, pending, processed, failed, archived = {}, {}, {}, 0, 0, false
local at = 11 + count_of_claims
for n = 1, count_of_claims do
  local id, number, tally, state = ARGV[10 + n], ARGV[at], ARGV[at + 1], ARGV[at + 2]
  if is_held(jobs .. id, leases[n], worker, number) then
    ended[#ended + 1] = id
    if state == '' then
      redis.call('DEL', jobs .. id)
    else
      local after, score, message, due = ending(id, state, ARGV[at + 3], ARGV[at + 4], ARGV[at + 5])
      move(id, after, score, message, due, ARGV[at + 6])
      if after == 'pending' then
        table.insert(pending, 1, id)
      end
      archived = archived or after == 'archived'
    end
    if tally ~= 'nothing' then
      processed = processed + 1
    end
    if tally == 'failure' then
      failed = failed + 1
    end
  else
    refused[#refused + 1] = n
  end
  at = at + (state == '' and 3 or 7)
end

if #pending > 0 then
  redis.call('RPUSH', KEYS[3], unpack(pending))
end
if #ended > 0 then
  remove_all(KEYS[1], ended)
  redis.call('ZREM', KEYS[2], unpack(ended))
  count({KEYS[7], KEYS[8], KEYS[9], KEYS[10]}, processed, failed, ARGV[3])
end
if at <= #ARGV then
  local lost = {}
  for _, place in ipairs(refused) do
    lost[place] = true
  end
  for n = 0, #ARGV - at do
    local place, lock = tonumber(ARGV[at + n]), KEYS[11 + n]
    -- Its time may have ended, and another job may have it now.
    if not lost[place] and redis.pcall('GET', lock) == ARGV[10 + place] then
      redis.call('DEL', lock)
    end
  end
end
if archived then
  -- Bounded, so that a huge archive is taken down over many calls instead of in one.
  trim_archive(KEYS[5], jobs, ARGV[4], tonumber(ARGV[5]), 1000)
end
if ARGV[7] ~= '' then
  redis.pcall('PUBLISH', ARGV[6], ARGV[7])
end
return refused
