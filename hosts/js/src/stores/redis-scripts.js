// The scripts of the Go package cachestore/redis, as test/stores/scripts.mjs writes
// them; a test holds them to its files. The server knows each by its SHA-1.

export const save = {
  sum: "723ec80a1ba6b33eabb66da0d21c2f494e869f1e",
  text: `-- Begins every script that changes an index. Time is counted in spans of four
-- weeks. A directory is a string of three bytes for each bucket: the span at whose
-- beginning it expires, 0 if it is not there.
-- What the common save does not need is made when it is needed, in functions that
-- take nothing from around them, which would have to be kept for them.
local span = 2419200000

local function tools()
  local try, sub, byte = redis.pcall, string.sub, string.byte
  local t = {none = string.rep('\\0', 192)}

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
    if sub(head, 9, 16) == string.rep('\\0', 8) then n = byte(last) end
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

-- Saves records, each as if it were alone. KEYS of each: its record, the directory
-- of its shard, and its bucket. ARGV of each: how a value begins whose version is
-- to be replaced and whose owner and expiry are to stay, 32 bytes, or to insert the
-- name of the owner's hint, which is longer, '' for nobody; the value, its expiry, and
-- the entry of the index. At last the time of the caller, and 'cluster' in a cluster.
-- The answers: 1 saved; 4 saved, and in a cluster the caller is to announce the shard;
-- 0 conflict, 2 damaged, 3 when the index is to be converted first, or the text of an
-- error: nothing is changed for any of these.

-- rare makes every save but the common ones.
local function rare(t, now, span)
  local r, try, call, sub, byte = {}, redis.pcall, redis.call, string.sub, string.byte

  -- lasts reports whether a bucket lives a span longer than a record, as far as the
  -- caller's clock is right. One that lives has a directory that lives longer.
  local function lasts(bucket, expires)
    local left = call('PTTL', bucket)
    return left > span and left >= expires - now + span
  end

  -- horizon is when the index of a record expires at the soonest: one to two spans
  -- behind it, so that few touches have to move that.
  local function horizon(expires) return math.floor(expires / span) + 2 end

  -- keep has a bucket and its directory live to the horizon.
  local function keep(index, bucket, directory, expires)
    local spans, last = struct.unpack('>I3', directory, 3 * (byte(bucket, -1) - 48) + 1), 0
    if spans < horizon(expires) then
      spans = horizon(expires)
      directory = t.mark(directory, bucket, spans)
      for i = 1, #directory, 3 do last = math.max(last, (struct.unpack('>I3', directory, i))) end
      call('SET', index, directory, 'PXAT', t.text(last * span))
    end
    call('PEXPIREAT', bucket, t.text(spans * span))
  end

  -- look returns the directory, or the answer if there is none to be read.
  local function look(index)
    local directory = try('GET', index) or t.none
    if type(directory) == 'string' then return directory end
    return nil, sub(directory.err, 1, 9) == 'WRONGTYPE' and 3 or directory.err
  end

  -- sweep drops those entries whose record has expired, and tells whether one had.
  local function sweep(record, bucket, entries)
    local shard, records = sub(record, 1, -31), {}
    for i, entry in ipairs(entries) do
      records[i] = shard .. string.format('%08x%08x%08x%06x', struct.unpack('>I4I4I4I3', entry, 9))
    end
    if #records == 0 or call('EXISTS', unpack(records)) == #records then return false end
    for i, entry in ipairs(entries) do
      if call('EXISTS', records[i]) == 0 then call('ZREM', bucket, entry) end
    end
    return true
  end

  -- clean looks at a few sessions behind a new one, whose place is random, and
  -- where one of them has expired at the others of the bucket.
  function r.clean(record, bucket, entry)
    local behind = '(' .. entry
    if not sweep(record, bucket, call('ZRANGEBYLEX', bucket, behind, '+', 'LIMIT', '0', '4')) then return end
    sweep(record, bucket, call('ZRANGEBYLEX', bucket, behind, '+', 'LIMIT', '0', '128'))
    sweep(record, bucket, call('ZRANGEBYLEX', bucket, '-', behind, 'LIMIT', '0', '128'))
  end

  -- hint names that of the owner of a record; '' is nobody's.
  function r.hint(record, value)
    if sub(value, 9, 16) == string.rep('\\0', 8) then return '' end
    return sub(record, 1, -38) .. string.format('shards:{%02x}:%08x%08x%08x%08x', byte(value, 9), struct.unpack('>I4I4I4I4', value, 9))
  end

  -- replace puts a record in the place of one that begins with head. The entry
  -- comes before its record.
  function r.replace(record, index, bucket, head, expected, value, expires, entry)
    if type(head) == 'table' then return head.err end
    if #head > 0 and #head < 32 then return 2 end
    local stored = sub(head, 1, 8)
    if stored == sub(value, 1, 8) then return 4 end
    if stored == '' or stored ~= sub(expected, 1, 8) then return 0 end

    local moves = sub(head, 9, 24) ~= sub(value, 9, 24)
    local directory, answer
    if (moves or horizon((struct.unpack('>I8', head, 25))) < horizon(expires)) and not lasts(bucket, expires) then
      directory, answer = look(index)
      if answer then return answer end
    end
    if moves then
      local done = try('ZADD', bucket, '0', entry)
      if type(done) == 'table' then return done.err end
    end
    local done = try('SET', record, value, 'PXAT', expires)
    if done.err then return done.err end
    if directory then keep(index, bucket, directory, expires) end
    if moves then
      local from, was = t.place(index, head, sub(entry, 9))
      if was ~= entry then t.leave(index, from, was) end
    end
    return moves and 4 or 1
  end

  -- insert finds out what keeps a record from being the common one.
  function r.insert(record, index, bucket, value, expires, entry)
    local directory, answer = look(index)
    if answer then return answer end
    local done = try('SET', record, value, 'NX', 'PXAT', expires)
    if not done then
      return r.replace(record, index, bucket, try('GETRANGE', record, '0', '31'), '', value, expires, entry)
    end
    if done.err then return done.err end
    done = try('ZADD', bucket, '0', entry)
    if type(done) == 'table' then
      call('DEL', record)
      return done.err
    end
    keep(index, bucket, directory, expires)
    return 4
  end
  return r
end

local keys, args, answers, call, try, byte = KEYS, ARGV, {}, redis.call, redis.pcall, string.byte
local now, rarely, cluster = args[#args], nil, #args % 4 == 2
if cluster then now = args[#args - 1] end
for n = 1, #keys / 3 do
  local record, index, bucket, at = keys[3 * n - 2], keys[3 * n - 1], keys[3 * n], 4 * n
  local expected, value, expires, entry = args[at - 3], args[at - 2], args[at - 1], args[at]
  local inserts, answer, head = expected == '' or #expected > 32
  if inserts then
    -- A bucket that lives has a directory. The record comes before its entry, since
    -- that tells whether it is new.
    local left = call('PTTL', bucket)
    if left > span and left >= expires - now + span then
      local done = try('SET', record, value, 'NX', 'PXAT', expires)
      if done and done.ok then
        done = try('ZADD', bucket, '0', entry)
        answer = 4
        if done ~= 1 and done ~= 0 then
          call('DEL', record)
          answer = done.err
        end
      end
    end
  else
    head = try('GETRANGE', record, '0', '31')
    if head == expected then answer = try('SET', record, value, 'KEEPTTL').err or 1 end
  end
  local cleans = inserts and byte(entry, -1) % 32 == 0
  if not answer or cleans then
    rarely = rarely or rare(tools(), now, span)
    if head then
      answer = rarely.replace(record, index, bucket, head, expected, value, expires, entry)
    else
      answer = answer or rarely.insert(record, index, bucket, value, expires, entry)
    end
    if cleans and answer == 4 then rarely.clean(record, bucket, entry) end
  end
  if answer == 4 then
    -- The shard is added to the hint of its owner, if there is one. A hint that cannot
    -- be added to, or has become long, is deleted: the next search finds all by itself.
    local hint = inserts and expected or rarely.hint(record, value)
    if hint ~= '' and not cluster then
      local length = try('RPUSHX', hint, string.sub(record, -32, -31))
      if type(length) ~= 'number' or length > 512 then try('DEL', hint) end
    end
    if hint == '' or not cluster then answer = 1 end
  end
  answers[n] = answer
end
return answers
`,
};

export const remove = {
  sum: "ed79dc6882a99e456debb65c62990956f588ec79",
  text: `-- Begins every script that changes an index. Time is counted in spans of four
-- weeks. A directory is a string of three bytes for each bucket: the span at whose
-- beginning it expires, 0 if it is not there.
-- What the common save does not need is made when it is needed, in functions that
-- take nothing from around them, which would have to be kept for them.
local span = 2419200000

local function tools()
  local try, sub, byte = redis.pcall, string.sub, string.byte
  local t = {none = string.rep('\\0', 192)}

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
    if sub(head, 9, 16) == string.rep('\\0', 8) then n = byte(last) end
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

-- Deletes a record and its entry. KEYS: record, directory. ARGV: the ID without
-- its first byte.
local head = redis.pcall('GETRANGE', KEYS[1], '0', '23')
local gone = redis.pcall('DEL', KEYS[1])
if type(gone) == 'table' then return redis.error_reply(gone.err) end
if type(head) == 'string' and #head == 24 then
  local t = tools()
  t.leave(KEYS[2], t.place(KEYS[2], head, ARGV[1]))
end
return gone
`,
};

export const convert = {
  sum: "cac07ea6cf1b0ce4440ee05356a4558cfc7f70e4",
  text: `-- Begins every script that changes an index. Time is counted in spans of four
-- weeks. A directory is a string of three bytes for each bucket: the span at whose
-- beginning it expires, 0 if it is not there.
-- What the common save does not need is made when it is needed, in functions that
-- take nothing from around them, which would have to be kept for them.
local span = 2419200000

local function tools()
  local try, sub, byte = redis.pcall, string.sub, string.byte
  local t = {none = string.rep('\\0', 192)}

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
    if sub(head, 9, 16) == string.rep('\\0', 8) then n = byte(last) end
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
`,
};
