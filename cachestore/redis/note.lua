-- Makes a hint complete that a walk over all shards has begun, unless it was deleted
-- since. KEYS: the hint. ARGV: the name of the walk, how long the hint lives in
-- milliseconds, and the shards that the walk has found. Those that were announced since
-- it began are added: the walk may have passed them before.
local shards, known, begun = {}, {}, false
local function add(shard)
  if not known[shard] then
    known[shard] = true
    shards[#shards + 1] = shard
  end
end
for i = 3, #ARGV do add(ARGV[i]) end
for _, is in ipairs(redis.call('LRANGE', KEYS[1], '0', '-1')) do
  if is == ARGV[1] then begun = true end
  if begun and #is == 2 then add(is) end
end
if not begun then return 0 end
redis.call('DEL', KEYS[1])
redis.call('RPUSH', KEYS[1], '=' .. #shards, unpack(shards))
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 1
