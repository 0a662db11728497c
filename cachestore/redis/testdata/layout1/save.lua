-- Saves records, each as if it were alone. KEYS of each: its record, whose name
-- ends with its ID, and its index. ARGV of each: how a value begins whose version
-- is to be replaced and whose owner and expiry are to stay ('' inserts), and the
-- value. The answers: 1 saved, 0 conflict, 2 damaged, or the text of an error;
-- nothing is changed for an answer that is not 1. Numbers in commands are written
-- as text, since Lua writes them slowly.
local try, sub = redis.pcall, string.sub

-- decide makes every save but the common one, which leaves owner and expiry as
-- they are and is spared the making of these functions. Entries of the index come
-- before their record.
local function decide(record, index, head, expected, value)
  if type(head) == 'table' then return head.err end
  if #head > 0 and #head < 32 then return 2 end
  local stored = sub(head, 1, 8)
  if stored == sub(value, 1, 8) then return 1 end
  if stored ~= sub(expected, 1, 8) then return 0 end

  local call, nobody = redis.call, string.rep('\0', 8)
  local id, was, is = sub(record, -32), sub(head, 9, 24), sub(value, 9, 24)

  local function text(n) return string.format('%.0f', n) end

  -- expiry is in milliseconds; Lua would compare texts by locale.
  local function expiry(v)
    local n = 0
    for i = 25, 32 do n = n * 256 + string.byte(v, i) end
    return n
  end

  -- horizon is how long the index of a record lives at the least: one to two
  -- days longer, so that few touches have to move it.
  local function horizon(v) return (math.floor(expiry(v) / 86400000) + 2) * 86400000 end

  local function entries(other, owner)
    if sub(owner, 1, 8) == nobody then return 'i' .. other .. owner end
    return 'i' .. other .. owner, 'o' .. owner .. other
  end

  local function enter()
    local byID, byOwner = entries(id, is)
    if byOwner then return try('ZADD', index, '0', byID, '0', byOwner) end
    return try('ZADD', index, '0', byID)
  end

  local function leave(other, owner) call('ZREM', index, entries(other, owner)) end

  -- outlive keeps the index to the horizon. What is left of both is compared,
  -- since there is no clock.
  local function outlive()
    local left, longest = call('PTTL', record), horizon(value)
    if left < 0 then return leave(id, is) end -- it came too late
    if call('PTTL', index) < left + longest - expiry(value) then call('PEXPIREAT', index, text(longest)) end
  end

  -- clean looks at the few sessions behind a new one, whose place is random, and
  -- drops those whose record has expired.
  local function clean()
    local others = call('ZRANGEBYLEX', index, '(i' .. id .. is, '(j', 'LIMIT', '0', '3')
    if #others == 0 then return end
    local shard, records = sub(index, 1, -6), {}
    for i, entry in ipairs(others) do records[i] = shard .. sub(entry, 2, 33) end
    if call('EXISTS', unpack(records)) == #others then return end
    for i, entry in ipairs(others) do
      if call('EXISTS', records[i]) == 0 then leave(sub(entry, 2, 33), sub(entry, 34)) end
    end
  end

  if was ~= is then
    local done = enter()
    if type(done) == 'table' then return done.err end
  end
  local done = try('SET', record, value, 'PXAT', text(expiry(value)))
  if done.err then return done.err end
  if head == '' then
    outlive()
    clean()
    return 1
  end
  if was ~= is then leave(id, was) end
  if horizon(head) < horizon(value) then outlive() end
  return 1
end

local function save(record, index, expected, value)
  local head = try('GETRANGE', record, '0', '31')
  if head ~= expected or head == '' then return decide(record, index, head, expected, value) end
  return try('SET', record, value, 'KEEPTTL').err or 1
end

local answers = {}
for i = 1, #KEYS, 2 do
  answers[(i + 1) / 2] = save(KEYS[i], KEYS[i + 1], ARGV[i], ARGV[i + 1])
end
return answers
