-- _count.lua: add to a queue's counters (protocol, 8.2 and 8.4); in front of settle.lua.
-- keys: processed of the day, failed of the day, processed, failed
-- processed, failed: how many to add   expiry: when the daily counters go, s
-- A counter that somebody broke must not keep jobs from ending, hence pcall.

local MOST = 9223372036854775807

local function count_on(key, amount, expiry)
  if amount > 0 and redis.pcall('INCRBY', key, amount) == amount then
    redis.pcall('EXPIREAT', key, expiry)
  end
end

local function count(keys, processed, failed, expiry)
  if processed == 0 then
    return
  end
  count_on(keys[1], processed, expiry)
  count_on(keys[2], failed, expiry)
  local total = redis.pcall('GET', keys[3])
  if (type(total) == 'string' and tonumber(total) or 0) + processed >= MOST then
    redis.pcall('SET', keys[3], processed)
    if failed > 0 then
      redis.pcall('SET', keys[4], failed)
    end
    return
  end
  redis.pcall('INCRBY', keys[3], processed)
  if failed > 0 then
    redis.pcall('INCRBY', keys[4], failed)
  end
end
