// The scripts of the Go package cachestore/redis, as test/stores/scripts.mjs writes
// them; a test holds them to its files. The server knows each by its SHA-1.

export const save = {
  sum: "c84b2eb1a698e4bbc580fb404d94620ad2222f4e",
  text: `-- Begins every script that changes an index. A directory is a string of three
-- bytes for each bucket: the week until which it is kept, 0 if it is not there.
local redis, string = redis, string
local try, call, sub, byte, week = redis.pcall, redis.call, string.sub, string.byte, 604800000

-- tools spares the common save the making of what it does not need.
local function tools()
  local t = {none = string.rep('\\0', 192)}

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
    if sub(head, 9, 16) == string.rep('\\0', 8) then n = byte(last) end
    return index .. ':' .. string.char(48 + n % 64), sub(head, 9, 12) .. sub(head, 17, 20) .. last
  end
  return t
end

-- Saves records, each as if it were alone. KEYS of each: its record, the directory
-- of its shard, and its bucket. ARGV of each: how a value begins whose version is
-- to be replaced and whose owner and expiry are to stay ('' inserts), the value,
-- its expiry, and the entry of the index. The answers: 1 saved, 0 conflict, 2
-- damaged, 3 when the index is to be converted first, or the text of an error;
-- nothing is changed for an answer that is not 1.

-- rare makes every save but the common ones.
local function rare()
  local r, t = {}, tools()

  -- An index is kept one to two weeks longer than a record, so that few touches
  -- have to move that.
  local function horizon(expiry) return math.floor(expiry / week) + 2 end

  local function refuse(err) return sub(err, 1, 9) == 'WRONGTYPE' and 3 or err end

  -- keep has a bucket and its directory live to the horizon.
  local function keep(index, bucket, directory, expiry)
    directory = directory or t.none
    local at, weeks, last = 3 * (byte(bucket, -1) - 48), horizon(expiry), 0
    if struct.unpack('>I3', directory, at + 1) >= weeks then return end
    directory = t.mark(directory, bucket, weeks)
    for i = 1, #directory, 3 do last = math.max(last, (struct.unpack('>I3', directory, i))) end
    call('PEXPIREAT', bucket, t.text(weeks * week))
    call('SET', index, directory, 'PXAT', t.text(last * week))
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
  local function clean(record, bucket, entry)
    local behind = '(' .. entry
    if not sweep(record, bucket, call('ZRANGEBYLEX', bucket, behind, '+', 'LIMIT', '0', '4')) then return end
    sweep(record, bucket, call('ZRANGEBYLEX', bucket, behind, '+', 'LIMIT', '0', '128'))
    sweep(record, bucket, call('ZRANGEBYLEX', bucket, '-', behind, 'LIMIT', '0', '128'))
  end

  -- replace puts a record in the place of one that begins with head. The entry
  -- comes before its record.
  function r.replace(record, index, bucket, head, expected, value, expires, entry)
    if type(head) == 'table' then return head.err end
    if #head > 0 and #head < 32 then return 2 end
    local stored = sub(head, 1, 8)
    if stored == sub(value, 1, 8) then return 1 end
    if stored == '' or stored ~= sub(expected, 1, 8) then return 0 end

    local moves = sub(head, 9, 24) ~= sub(value, 9, 24)
    local longer = horizon((struct.unpack('>I8', head, 25))) < horizon(expires)
    local directory
    if moves or longer then
      directory = try('GET', index)
      if type(directory) == 'table' then return refuse(directory.err) end
    end
    if moves then
      local done = try('ZADD', bucket, '0', entry)
      if type(done) == 'table' then return done.err end
    end
    local done = try('SET', record, value, 'PXAT', expires)
    if done.err then return done.err end
    if moves or longer then keep(index, bucket, directory, expires) end
    if moves then
      local from, was = t.place(index, head, sub(entry, 9))
      if was ~= entry then t.leave(index, from, was) end
    end
    return 1
  end

  -- settle ends an insert that is not the common one, by the answers to its
  -- commands.
  function r.settle(directory, done, entered, record, index, bucket, value, expires, entry)
    if type(directory) == 'table' then return refuse(directory.err) end
    if not done then
      return r.replace(record, index, bucket, try('GETRANGE', record, '0', '31'), '', value, expires, entry)
    end
    if done.err then return done.err end
    if type(entered) == 'table' then
      call('DEL', record)
      return entered.err
    end
    keep(index, bucket, directory, expires)
    if byte(record, -1) % 16 == 5 then clean(record, bucket, entry) end
    return 1
  end
  return r
end

local rarely

-- insert writes the record before its entry, since that tells whether it is new.
local function insert(record, index, bucket, value, expires, entry)
  local directory, done, entered = try('GET', index), nil, nil
  if not directory or not directory.err then done = try('SET', record, value, 'NX', 'PXAT', expires) end
  if done and done.ok then
    entered = try('ZADD', bucket, '0', entry)
    if entered == 1 and directory and byte(record, -1) % 16 ~= 5 then
      local at = 3 * byte(bucket, -1) - 143
      local a, b, c = byte(directory, at, at + 2)
      if a * 65536 + b * 256 + c > expires / week + 1 then return 1 end
    end
  end
  rarely = rarely or rare()
  return rarely.settle(directory, done, entered, record, index, bucket, value, expires, entry)
end

local keys, args, answers = KEYS, ARGV, {}
for n = 1, #keys / 3 do
  local record, index, bucket, at = keys[3 * n - 2], keys[3 * n - 1], keys[3 * n], 4 * n
  local expected, value = args[at - 3], args[at - 2]
  if expected == '' then
    answers[n] = insert(record, index, bucket, value, args[at - 1], args[at])
  else
    local head = try('GETRANGE', record, '0', '31')
    if head == expected then
      answers[n] = try('SET', record, value, 'KEEPTTL').err or 1
    else
      rarely = rarely or rare()
      answers[n] = rarely.replace(record, index, bucket, head, expected, value, args[at - 1], args[at])
    end
  end
end
return answers
`,
};

export const remove = {
  sum: "e6a630a0226ef01d7f2f2a22d019e8245836eb9e",
  text: `-- Begins every script that changes an index. A directory is a string of three
-- bytes for each bucket: the week until which it is kept, 0 if it is not there.
local redis, string = redis, string
local try, call, sub, byte, week = redis.pcall, redis.call, string.sub, string.byte, 604800000

-- tools spares the common save the making of what it does not need.
local function tools()
  local t = {none = string.rep('\\0', 192)}

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
    if sub(head, 9, 16) == string.rep('\\0', 8) then n = byte(last) end
    return index .. ':' .. string.char(48 + n % 64), sub(head, 9, 12) .. sub(head, 17, 20) .. last
  end
  return t
end

-- Deletes a record and its entry. KEYS: record, directory. ARGV: the ID without
-- its first byte.
local head = try('GETRANGE', KEYS[1], '0', '23')
local gone = try('DEL', KEYS[1])
if type(gone) == 'table' then return redis.error_reply(gone.err) end
if type(head) == 'string' and #head == 24 then
  local t = tools()
  t.leave(KEYS[2], t.place(KEYS[2], head, ARGV[1]))
end
return gone
`,
};

export const convert = {
  sum: "8b8723532ddb960b5b212a8a36b77ecfc9308008",
  text: `-- Begins every script that changes an index. A directory is a string of three
-- bytes for each bucket: the week until which it is kept, 0 if it is not there.
local redis, string = redis, string
local try, call, sub, byte, week = redis.pcall, redis.call, string.sub, string.byte, 604800000

-- tools spares the common save the making of what it does not need.
local function tools()
  local t = {none = string.rep('\\0', 192)}

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
    if sub(head, 9, 16) == string.rep('\\0', 8) then n = byte(last) end
    return index .. ':' .. string.char(48 + n % 64), sub(head, 9, 12) .. sub(head, 17, 20) .. last
  end
  return t
end

-- Puts the entries of an index of layout 1 into buckets. KEYS: the index, which
-- becomes the directory, and all buckets. ARGV: the time of the caller. The index
-- may be gone, or converted by another.
local index = KEYS[1]
local done = try('GET', index)
if type(done) ~= 'table' then return 0 end
local old = call('ZRANGEBYLEX', index, '[i', '(j')

-- A server of the version before may still touch the sessions, to which no index
-- of layout 1 is then kept: so the buckets live 58 weeks longer, as no browser
-- keeps a cookie.
local weeks = math.floor((tonumber(ARGV[1]) + math.max(call('PTTL', index), 0)) / week) + 58

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
  local all = words[KEYS[i]]
  if all then
    for first = 1, #all, 1000 do call('ZADD', KEYS[i], unpack(all, first, math.min(first + 999, #all))) end
    call('PEXPIREAT', KEYS[i], t.text(weeks * week))
    directory = t.mark(directory, KEYS[i], weeks)
  end
end
if directory ~= t.none then call('SET', index, directory, 'PXAT', t.text(weeks * week)) end
return 1
`,
};
