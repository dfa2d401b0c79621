-- tick.lua: store the job of one tick of a schedule, unless that tick or a later one is recorded.
-- KEYS  1 ticks (hash: schedule → 'instant outcome stored-at worker' of its last tick)
--       2 pending list   3 scheduled zset (score = due, s, rounded up)   4 the job's hash
--       5 the lock of a unique job (value = id of the job that holds it); of others, the hash again
--       6 last jobs (hash: schedule → id of the job of its last tick that became one)
-- ARGV  1 schedule   2 instant   3 worker   4 now
--       5 id   6 message   7 now, ns   8 score ('' = pending now)   9 exact due ('' = the score)
--       10 lifetime of the lock in s, '' for none
--       11 channel for jobs due soon   12 the due instant if it is one of those, else ''
--       13 prefix of job hashes if it may not overlap with the schedule's last job, else ''
-- Returns what came of it, and since when that is so: 'stored', 'refused' (id or lock are taken, or the last
-- job is unfinished), or
-- 'late'. Who sends the same tick again gets the first answer again, and nothing is done.

local schedule, instant, worker, now = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local id, message, score, due, lifetime = ARGV[5], ARGV[6], ARGV[8], ARGV[9], ARGV[10]
local is_unique = lifetime ~= ''

local last = redis.call('HGET', KEYS[1], schedule) or ''
local last_instant, outcome, since, who = string.match(last, '^(%S+) (%l+) ([%d.]+) (.*)$')
local last_number = tonumber(last_instant)
if last_number and last_number >= tonumber(instant) then
  local is_mine = last_number == tonumber(instant) and who == worker
  if is_mine and (outcome == 'stored' or outcome == 'refused') then
    return {outcome, since}
  end
  return {'late', now}
end

-- Keys of a wrong type must fail here, before anything is written.
redis.call('LLEN', KEYS[2])
redis.call('ZCARD', KEYS[3])
local holder = is_unique and redis.call('GET', KEYS[5])
local before = redis.call('HGET', KEYS[6], schedule)
local state = before and ARGV[13] ~= '' and redis.call('HGET', ARGV[13] .. before, 'state')
local overlaps = state and state ~= 'completed' and state ~= 'archived'
local is_free = redis.call('EXISTS', KEYS[4]) == 0 and (not holder or holder == id) and not overlaps

outcome = is_free and 'stored' or 'refused'
redis.call('HSET', KEYS[1], schedule, table.concat({instant, outcome, now, worker}, ' '))
if not is_free then
  return {outcome, now}
end

if score == '' then
  redis.call('HSET', KEYS[4], 'msg', message, 'state', 'pending', 'pending_since', ARGV[7])
  redis.call('LPUSH', KEYS[2], id)
else
  redis.call('HSET', KEYS[4], 'msg', message, 'state', 'scheduled')
  if due ~= '' then
    redis.call('HSET', KEYS[4], 'due', due)
  end
  redis.call('ZADD', KEYS[3], score, id)
end
redis.call('HSET', KEYS[6], schedule, id)
if is_unique then
  redis.call('HSET', KEYS[4], 'unique_key', KEYS[5])
  redis.call('SET', KEYS[5], id, 'EX', lifetime)
end
if ARGV[12] ~= '' then
  -- Without the right to publish, the job is a moment late instead of not stored.
  redis.pcall('PUBLISH', ARGV[11], ARGV[12])
end
return {outcome, now}
