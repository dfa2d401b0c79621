-- _message.lua: read a text field of an asynq message (protobuf; protocol, 4.1); in front of the
-- scripts that have to know what a message says.

local function varint(text, at)
  local value, factor, last = 0, 1, at + 9
  while at <= last do
    local byte = string.byte(text, at)
    if not byte then
      return nil
    end
    value = value + byte % 128 * factor
    if byte < 128 then
      return value, at + 1
    end
    factor, at = factor * 128, at + 1
  end
  return nil
end

-- Where the field behind `at` ends, and where its text begins if it is one.
local function bounds(message, kind, at)
  if kind == 2 then
    local size, start = varint(message, at)
    return size and start + size, start
  elseif kind == 0 then
    local _, stop = varint(message, at)
    return stop
  end
  return (kind == 1 and at + 8) or (kind == 5 and at + 4) or nil
end

-- The text of the field with this number; nil if there is none, or no message.
local function field_of(message, wanted)
  local at = 1
  while at and at <= #message do
    local tag, start, stop
    tag, at = varint(message, at)
    if not tag then
      return nil
    end
    stop, start = bounds(message, tag % 8, at)
    if start and stop and math.floor(tag / 8) == wanted then
      return stop <= #message + 1 and string.sub(message, start, stop - 1) or nil
    end
    at = stop
  end
  return nil
end
