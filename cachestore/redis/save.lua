-- Saves records, each as if it were alone. KEYS of each: its record, the directory
-- of its shard, and its bucket. ARGV of each: how a value begins whose version is
-- to be replaced and whose owner and expiry are to stay ('' inserts), the value,
-- and the entry of the index. The answers: 1 saved, 0 conflict, 2 damaged, 3 when
-- the index is to be converted first, or the text of an error; nothing is changed
-- for an answer that is not 1.

local function expiry(value) return (struct.unpack('>I8', value, 25)) end

-- horizon is the week to which the index of a record is kept at the least: one to
-- two weeks longer, so that few touches have to move it.
local function horizon(value) return math.floor(expiry(value) / week) + 2 end

local function refuse(err) return sub(err, 1, 9) == 'WRONGTYPE' and 3 or err end

-- keep has a bucket and its directory live to the horizon.
local function keep(index, bucket, directory, value)
  local at, weeks = 3 * tonumber(sub(bucket, -2), 16), horizon(value)
  local a, b, c = byte(directory, at + 1, at + 3)
  if a * 65536 + b * 256 + c >= weeks then return end
  directory = mark(directory, bucket, weeks)
  local last = 0
  for i = 1, #directory, 3 do
    a, b, c = byte(directory, i, i + 2)
    last = math.max(last, a * 65536 + b * 256 + c)
  end
  call('PEXPIREAT', bucket, text(weeks * week))
  call('SET', index, directory, 'PXAT', text(last * week))
end

-- clean looks at a dozen sessions behind every fourth new one, around the bucket,
-- and drops those whose record has expired.
local function clean(record, bucket, entry)
  local others = call('ZRANGEBYLEX', bucket, '(' .. entry, '+', 'LIMIT', '0', '12')
  if #others < 12 then
    local first = call('ZRANGEBYLEX', bucket, '-', '(' .. entry, 'LIMIT', '0', text(12 - #others))
    for _, other in ipairs(first) do others[#others + 1] = other end
  end
  if #others == 0 then return end
  local shard, records = sub(record, 1, -31), {}
  for i, other in ipairs(others) do
    records[i] = shard .. string.format('%08x%08x%08x%06x', struct.unpack('>I4I4I4I3', other, 9))
  end
  if call('EXISTS', unpack(records)) == #others then return end
  for i, other in ipairs(others) do
    if call('EXISTS', records[i]) == 0 then call('ZREM', bucket, other) end
  end
end

-- replace makes every save over a record but the common one. The entry comes
-- before its record.
local function replace(record, index, bucket, head, expected, value, entry)
  if type(head) == 'table' then return head.err end
  if #head > 0 and #head < 32 then return 2 end
  local stored = sub(head, 1, 8)
  if stored == sub(value, 1, 8) then return 1 end
  if stored == '' or stored ~= sub(expected, 1, 8) then return 0 end

  local moves, longer = sub(head, 9, 24) ~= sub(value, 9, 24), horizon(head) < horizon(value)
  local directory = none
  if moves or longer then
    directory = try('GET', index) or none
    if type(directory) == 'table' then return refuse(directory.err) end
  end
  if moves then
    local done = try('ZADD', bucket, '0', entry)
    if type(done) == 'table' then return done.err end
  end
  local done = try('SET', record, value, 'PXAT', text(expiry(value)))
  if done.err then return done.err end
  if moves or longer then keep(index, bucket, directory, value) end
  if moves then
    local from, was = place(index, head, sub(entry, 9))
    if was ~= entry then leave(index, from, was) end
  end
  return 1
end

-- insert writes the record first, which tells whether it is new.
local function insert(record, index, bucket, value, entry)
  local directory = try('GET', index) or none
  if type(directory) == 'table' then return refuse(directory.err) end
  local done = try('SET', record, value, 'NX', 'PXAT', text(expiry(value)))
  if not done then return replace(record, index, bucket, try('GETRANGE', record, '0', '31'), '', value, entry) end
  if done.err then return done.err end
  done = try('ZADD', bucket, '0', entry)
  if type(done) == 'table' then
    call('DEL', record)
    return done.err
  end
  keep(index, bucket, directory, value)
  if byte(record, -1) % 4 == 0 then clean(record, bucket, entry) end
  return 1
end

local function save(record, index, bucket, expected, value, entry)
  if expected == '' then return insert(record, index, bucket, value, entry) end
  local head = try('GETRANGE', record, '0', '31')
  if head ~= expected then return replace(record, index, bucket, head, expected, value, entry) end
  return try('SET', record, value, 'KEEPTTL').err or 1
end

local answers = {}
for i = 1, #KEYS, 3 do
  answers[(i + 2) / 3] = save(KEYS[i], KEYS[i + 1], KEYS[i + 2], ARGV[i], ARGV[i + 1], ARGV[i + 2])
end
return answers
