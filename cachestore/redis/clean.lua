-- Drops entries whose record is gone. KEYS: of each its record and its bucket, and
-- at last the directory. ARGV: of each the entry.
local t = tools()
for i, entry in ipairs(ARGV) do
  if redis.call('EXISTS', KEYS[2 * i - 1]) == 0 then t.leave(KEYS[#KEYS], KEYS[2 * i], entry) end
end
return 1
