-- _unlock.lua: release what a job has locked, if it still has it; in front of what deletes jobs.
-- jobs, locks: prefixes   id: the job, whose hash is still there

local function unlock(jobs, locks, id)
  local lock = redis.pcall('HGET', jobs .. id, 'unique_key')
  -- A foreign program's field may name any key; ours to delete are this queue's locks.
  if type(lock) == 'string' and string.sub(lock, 1, #locks) == locks and redis.pcall('GET', lock) == id then
    redis.call('DEL', lock)
  end
end
