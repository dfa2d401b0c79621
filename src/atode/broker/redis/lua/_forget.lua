-- _forget.lua: forget what was received and is gone from the old store; in front of what receives.
-- received: hash, id to stamp   mover, number: of the last transport of which that is known
-- A stamp is the mover's name, a space, and a number. What is remembered is never much: what one
-- mover brought last, and what those who died before him brought last.

local function forget(received, mover, number)
  local gone = {}
  local known = redis.call('HGETALL', received)
  for n = 1, #known, 2 do
    local who, which = string.match(known[n + 1], '^(.*) (%d+)$')
    if who == mover and tonumber(which) <= number then
      gone[#gone + 1] = known[n]
    end
  end
  for first = 1, #gone, 1000 do
    redis.call('HDEL', received, unpack(gone, first, math.min(first + 999, #gone)))
  end
end
