-- Begins every script that changes an index. Time is counted in spans of four
-- weeks. A directory is a string of three bytes for each bucket: the span at whose
-- beginning it expires, 0 if it is not there.
-- What the common save does not need is made when it is needed, in functions that
-- take nothing from around them, which would have to be kept for them.
local span = 2419200000

local function tools()
  local try, sub, byte = redis.pcall, string.sub, string.byte
  local t = {none = string.rep('\0', 192)}

  -- Numbers in commands are written as text, since Lua writes them slowly.
  function t.text(n) return string.format('%.0f', n) end

  -- mark notes in the directory when a bucket expires.
  function t.mark(directory, bucket, spans)
    local at = 3 * (byte(bucket, -1) - 48)
    return sub(directory, 1, at) .. struct.pack('>I3', spans) .. sub(directory, at + 4)
  end

  -- place returns the bucket and the entry of a record that begins with head. The
  -- last is its ID without the first byte.
  function t.place(index, head, last)
    local n = byte(head, 9)
    if sub(head, 9, 16) == string.rep('\0', 8) then n = byte(last) end
    return index .. ':' .. string.char(48 + n % 64), sub(head, 9, 12) .. sub(head, 17, 20) .. last
  end

  -- leave drops an entry. A bucket whose last it was leaves the directory, and the
  -- last bucket takes that with it. Where a slot is moving to another node, and the
  -- bucket is not here, both stay, and are dropped as those of expired records are.
  function t.leave(index, bucket, entry)
    if try('ZREM', bucket, entry) ~= 1 or try('EXISTS', bucket) ~= 0 then return end
    local directory = try('GET', index)
    if type(directory) ~= 'string' then return end
    directory = t.mark(directory, bucket, 0)
    if directory == t.none then try('DEL', index) else try('SET', index, directory, 'KEEPTTL') end
  end
  return t
end

