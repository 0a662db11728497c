-- Begins every script that changes an index. A directory is a string of three
-- bytes for each bucket: the week until which it is kept, 0 if it is not there.
local redis, string = redis, string
local try, call, sub, byte, week = redis.pcall, redis.call, string.sub, string.byte, 604800000

-- tools spares the common save the making of what it does not need.
local function tools()
  local t = {none = string.rep('\0', 192)}

  -- Numbers in commands are written as text, since Lua writes them slowly.
  function t.text(n) return string.format('%.0f', n) end

  -- mark notes in the directory how long a bucket is kept.
  function t.mark(directory, bucket, weeks)
    local at = 3 * (byte(bucket, -1) - 48)
    return sub(directory, 1, at) .. struct.pack('>I3', weeks) .. sub(directory, at + 4)
  end

  -- leave drops an entry. A bucket whose last it was is gone from the directory,
  -- too. Where a slot is moving to another node, and the bucket is not here, both
  -- stay, and are dropped as those of an expired record are.
  function t.leave(index, bucket, entry)
    if try('ZREM', bucket, entry) ~= 1 or try('EXISTS', bucket) ~= 0 then return end
    local directory = t.mark(call('GET', index) or t.none, bucket, 0)
    if directory == t.none then call('DEL', index) else call('SET', index, directory, 'KEEPTTL') end
  end

  -- place returns the bucket and the entry of a record that begins with head. The
  -- last is its ID without the first byte.
  function t.place(index, head, last)
    local n = byte(head, 9)
    if sub(head, 9, 16) == string.rep('\0', 8) then n = byte(last) end
    return index .. ':' .. string.char(48 + n % 64), sub(head, 9, 12) .. sub(head, 17, 20) .. last
  end
  return t
end

