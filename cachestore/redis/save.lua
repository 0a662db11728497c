-- Saves records, each as if it were alone. KEYS of each: its record and its
-- index. ARGV of each: ID, version to replace ('' inserts), expiry, horizon,
-- value. The answers: 1 saved, 0 conflict, 2 damaged, or the text of an error;
-- nothing is changed for an answer that is not 1.
local call, try, sub = redis.call, redis.pcall, string.sub
local nobody = string.rep('\0', 8)

local function entries(id, owner)
  if sub(owner, 1, 8) == nobody then return 'i' .. id .. owner end
  return 'i' .. id .. owner, 'o' .. owner .. id
end

local function enter(index, id, owner)
  local byID, byOwner = entries(id, owner)
  if byOwner then return try('ZADD', index, 0, byID, 0, byOwner) end
  return try('ZADD', index, 0, byID)
end

local function leave(index, id, owner) call('ZREM', index, entries(id, owner)) end

-- day reads the horizon out of a value. Lua would compare strings by locale.
local function day(value)
  local a, b, c, d = string.byte(value, 25, 28)
  return ((a * 256 + b) * 256 + c) * 256 + d
end

-- outlive has the index live to the horizon, which lies behind the record's
-- expiry. What is left of both is compared, since there is no clock.
local function outlive(record, index, id, owner, expires, horizon)
  local left = call('PTTL', record)
  if left < 0 then return leave(index, id, owner) end -- it came too late
  if call('PTTL', index) < left + horizon - expires then call('PEXPIREAT', index, horizon) end
end

-- clean looks at a few entries and drops those whose record has expired.
local function clean(index)
  local shard = sub(index, 1, -6)
  for _, entry in ipairs(call('ZRANDMEMBER', index, 3)) do
    local id, owner = sub(entry, 2, 17), sub(entry, 18, 33)
    if sub(entry, 1, 1) == 'o' then owner, id = sub(entry, 2, 17), sub(entry, 18, 33) end
    local record = shard .. string.format(string.rep('%02x', 16), string.byte(id, 1, 16))
    if call('EXISTS', record) == 0 then leave(index, id, owner) end
  end
end

local function save(record, index, id, prev, expires, horizon, value)
  local head = try('GETRANGE', record, 0, 27)
  if type(head) == 'table' then return head.err end
  if #head > 0 and #head < 28 then return 2 end
  local stored = sub(head, 1, 8)
  if stored == sub(value, 1, 8) then return 1 end
  if stored ~= prev then return 0 end
  local was, is = sub(head, 9, 24), sub(value, 9, 24)
  if was ~= is then
    local done = enter(index, id, is)
    if type(done) == 'table' then return done.err end
  end
  local done = try('SET', record, value, 'PXAT', expires)
  if done.err then return done.err end
  if head == '' then
    outlive(record, index, id, is, expires, horizon)
    clean(index)
    return 1
  end
  if was ~= is then leave(index, id, was) end
  if day(head) < day(value) then outlive(record, index, id, is, expires, horizon) end
  return 1
end

local answers = {}
for i = 1, #KEYS / 2 do
  local a = 5 * i
  answers[i] = save(KEYS[2 * i - 1], KEYS[2 * i], ARGV[a - 4], ARGV[a - 3], ARGV[a - 2], ARGV[a - 1], ARGV[a])
end
return answers
