-- Returns the shards that may have sessions of an owner, or notes that a walk over all
-- shards begins. KEYS: the hint. ARGV: the name of the walk ('' is none), how long that
-- may take in milliseconds, and how many shards may have been announced since the last.
-- The hint is a list: '=' and how many shards a walk has found, these, and those that
-- were announced since; or names of walks, and what was announced since they began.
local hint = redis.call('LRANGE', KEYS[1], '0', '-1')
local found = tonumber(string.match(hint[1] or '', '^=(%d+)$'))
if found and #hint - 1 - found <= tonumber(ARGV[3]) then
  table.remove(hint, 1)
  return hint
end
if ARGV[1] ~= '' then
  if #hint > 512 then redis.call('DEL', KEYS[1]) end
  redis.call('RPUSH', KEYS[1], ARGV[1])
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
end
return false
