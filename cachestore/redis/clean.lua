-- Drops entries whose record is gone. KEYS: of each its record and its bucket. ARGV:
-- of each the entry.
for i, entry in ipairs(ARGV) do
  if redis.call('EXISTS', KEYS[2 * i - 1]) == 0 then redis.call('ZREM', KEYS[2 * i], entry) end
end
return 1
