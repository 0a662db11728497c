-- Begins every script that changes an index. A directory is a string of three
-- bytes for each bucket: the week until which it is kept, 0 if it is not there.
local try, call, sub, byte = redis.pcall, redis.call, string.sub, string.byte
local week, nobody, none = 604800000, string.rep('\0', 8), string.rep('\0', 192)

-- Numbers in commands are written as text, since Lua writes them slowly.
local function text(n) return string.format('%.0f', n) end

-- mark notes in the directory how long a bucket is kept.
local function mark(directory, bucket, weeks)
  local at = 3 * tonumber(sub(bucket, -2), 16)
  return sub(directory, 1, at) .. struct.pack('>I3', weeks) .. sub(directory, at + 4)
end

-- leave drops an entry. A bucket whose last it was is gone from the directory,
-- too. In a slot that is moving the bucket may be on the other node; what is
-- left of it there is dropped later, as an entry whose record has expired.
local function leave(index, bucket, entry)
  if try('ZREM', bucket, entry) ~= 1 or call('EXISTS', bucket) == 1 then return end
  local directory = mark(call('GET', index) or none, bucket, 0)
  if directory == none then call('DEL', index) else call('SET', index, directory, 'KEEPTTL') end
end

-- place returns the bucket and the entry of a record that begins with head. The
-- last is its ID without the first byte.
local function place(index, head, last)
  local owner, n = sub(head, 9, 12) .. sub(head, 17, 20), byte(head, 9)
  if sub(head, 9, 16) == nobody then n = byte(last) end
  return index .. string.format(':%02x', n % 64), owner .. last
end

