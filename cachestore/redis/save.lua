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
