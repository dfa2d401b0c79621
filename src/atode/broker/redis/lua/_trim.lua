-- _trim.lua: delete jobs and take them out of their zset; in front of the scripts that prune.
-- zset: where the ids are   jobs: prefix of job hashes   ids: at most a thousand

local function delete_all(zset, jobs, ids)
  if #ids == 0 then
    return 0
  end
  local hashes = {}
  for n, id in ipairs(ids) do
    hashes[n] = jobs .. id
  end
  redis.call('ZREM', zset, unpack(ids))
  redis.call('DEL', unpack(hashes))
  return #ids
end

-- Up to `limit` jobs that the archive no longer keeps: too old, or beyond its size.
local function trim_archive(zset, jobs, cutoff, size, limit)
  local old = redis.call('ZRANGEBYSCORE', zset, '-inf', cutoff, 'LIMIT', 0, limit)
  local gone = delete_all(zset, jobs, old)
  local over = math.min(redis.call('ZCARD', zset) - size, limit - gone)
  if over > 0 then
    gone = gone + delete_all(zset, jobs, redis.call('ZRANGE', zset, 0, over - 1))
  end
  return gone
end
