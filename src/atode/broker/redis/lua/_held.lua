-- _held.lua: whether a claim still holds its job, and the name of the lock that a unique job
-- has, if any; in front of the scripts that ask.
-- key: the job's hash   lease: its score in the lease zset, false for none
-- worker, number: the claim's
-- A Go worker that took the job meanwhile changes neither owner nor claims, but it writes a
-- whole second as lease, which ours never is.

local function is_held(key, lease, worker, number)
  local expiry = tonumber(lease or nil)
  if not expiry or expiry % 1 == 0 then
    return false
  end
  local stored = redis.pcall('HMGET', key, 'state', 'owner', 'claims', 'unique_key')
  return stored[1] == 'active' and stored[2] == worker and stored[3] == number, stored[4]
end
