-- _unlock.lua: release what a job has locked, if it still has it; in front of what deletes jobs,
-- behind _message.lua.
-- jobs, locks: prefixes   id: the job, whose hash is still there

-- The lock that a job has, if it has one; from the fields of its hash.
local function lock_of(locks, id, lock, message)
  -- asynq does not write the field for a job that it puts into a group, only the message.
  if not lock and message and string.find(message, locks, 1, true) then
    lock = field_of(message, 10)
  end
  -- A foreign program's field may name any key; ours to delete are this queue's locks.
  if type(lock) == 'string' and string.sub(lock, 1, #locks) == locks and redis.pcall('GET', lock) == id then
    return lock
  end
  return nil
end

local function unlock(jobs, locks, id)
  local stored = redis.pcall('HMGET', jobs .. id, 'unique_key', 'msg')
  local lock = lock_of(locks, id, stored[1], stored[2])
  if lock then
    redis.call('DEL', lock)
  end
end
