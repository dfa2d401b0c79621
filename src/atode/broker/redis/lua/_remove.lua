-- _remove.lua: take many ids out of a list; in front of settle.lua.
-- list: unique ids, the oldest at the tail   ids: those to remove; missing ones do no harm
-- LREM looks from the tail for each id anew. Jobs that end in about the order in which they
-- began are found at once; where others are in between, one look at the list for all is cheaper.

local FEW, SLACK, WINDOW, GONE = 32, 100, 2000, '\0gone'

-- Whether all ids, judged by three of them, are near the tail.
local function are_oldest(list, ids)
  for _, n in ipairs({1, math.ceil(#ids / 2), #ids}) do
    if not redis.call('LPOS', list, ids[n], 'RANK', -1, 'MAXLEN', #ids + SLACK) then
      return false
    end
  end
  return true
end

local function remove_all(list, ids)
  if #ids < FEW or are_oldest(list, ids) then
    for _, id in ipairs(ids) do
      redis.call('LREM', list, -1, id)
    end
    return
  end
  local wanted, found, last = {}, 0, -1
  for _, id in ipairs(ids) do
    wanted[id] = true
  end
  while found < #ids do
    local window = redis.call('LRANGE', list, last - WINDOW + 1, last)
    for n = #window, 1, -1 do
      if wanted[window[n]] then
        wanted[window[n]] = nil
        found = found + 1
        -- Places must stay as they are until all are found.
        redis.call('LSET', list, last - #window + n, GONE)
      end
    end
    last = last - WINDOW
    if #window < WINDOW then
      break
    end
  end
  if found > 0 then
    redis.call('LREM', list, -found, GONE)
  end
end
