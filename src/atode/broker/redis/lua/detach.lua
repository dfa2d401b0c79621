-- detach.lua: take a queue apart at once; clear.lua deletes its jobs afterwards, bit by bit
-- (protocol, 13: remove queue; trap 24).
-- KEYS  1 active list   2 names of groups   3 aggregation sets (zset of keys)   4 pending list
--       5 scheduled   6 retry   7 archived   8 completed zset   then keys to delete
-- ARGV  1 prefix of the queue   2 prefix of what is removed   3 prefix of groups
--       4 '1' to remove a queue that holds jobs, else '0'
-- Returns 1 if it is done, 0 if the queue holds jobs (with force: active ones), -1 if an earlier
-- removal has not been finished.

local queue, removed, groups = ARGV[1], ARGV[2], ARGV[3]

local function is_there(key)
  return redis.call('EXISTS', key) == 1
end

local names = redis.call('SMEMBERS', KEYS[2])
for _, key in ipairs(redis.call('ZRANGE', KEYS[3], 0, -1)) do
  -- A set that a Go server is aggregating is called as its group, a colon and its id.
  if string.sub(key, 1, #groups) == groups then
    names[#names + 1] = string.sub(key, #groups + 1)
  end
end

local holds, unfinished = false, is_there(removed .. 'groups')
for n = 4, 8 do
  holds = holds or is_there(KEYS[n])
  unfinished = unfinished or is_there(removed .. string.sub(KEYS[n], #queue + 1))
end
for _, name in ipairs(names) do
  holds = holds or is_there(groups .. name)
end
if redis.call('LLEN', KEYS[1]) > 0 or (holds and ARGV[4] ~= '1') then
  return 0
end
if unfinished then
  return -1
end

for n = 4, 8 do
  if is_there(KEYS[n]) then
    redis.call('RENAME', KEYS[n], removed .. string.sub(KEYS[n], #queue + 1))
  end
end
for _, name in ipairs(names) do
  if is_there(groups .. name) then
    redis.call('RENAME', groups .. name, removed .. 'g:' .. name)
    redis.call('SADD', removed .. 'groups', name)
  end
end
redis.call('DEL', KEYS[2], KEYS[3])
for n = 9, #KEYS do
  redis.call('DEL', KEYS[n])
end
return 1
