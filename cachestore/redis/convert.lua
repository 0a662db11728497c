-- Puts the entries of an index of layout 1 into buckets. KEYS: the index, which
-- becomes the directory, and all buckets. ARGV: the time of the caller. The index
-- may be gone, or converted by another.
local index, call, sub = KEYS[1], redis.call, string.sub
local done = redis.pcall('GET', index)
if type(done) ~= 'table' then return 0 end
local old = call('ZRANGEBYLEX', index, '[i', '(j')

-- Servers of the version before may touch these sessions for some time, which
-- moves no bucket: so those live a year longer.
local spans = math.floor((tonumber(ARGV[1]) + math.max(call('PTTL', index), 0)) / span) + 16

local function raw(hex)
  return struct.pack('>I4I4I4I3', tonumber(sub(hex, 1, 8), 16), tonumber(sub(hex, 9, 16), 16), tonumber(sub(hex, 17, 24), 16), tonumber(sub(hex, 25, 30), 16))
end

local words, t = {}, tools()
for _, entry in ipairs(old) do
  local bucket, is = t.place(index, '12345678' .. sub(entry, 34), raw(sub(entry, 4, 33)))
  local all = words[bucket]
  if not all then
    all = {}
    words[bucket] = all
  end
  all[#all + 1] = '0'
  all[#all + 1] = is
end

-- After the first write a server that is full lets the others pass.
call('DEL', index)
local directory = t.none
for i = 2, #KEYS do
  local all = words[KEYS[i]] or {}
  for first = 1, #all, 1000 do call('ZADD', KEYS[i], unpack(all, first, math.min(first + 999, #all))) end
  if call('EXISTS', KEYS[i]) == 1 then
    call('PEXPIREAT', KEYS[i], t.text(spans * span))
    directory = t.mark(directory, KEYS[i], spans)
  end
end
if directory ~= t.none then call('SET', index, directory, 'PXAT', t.text(spans * span)) end
return 1
