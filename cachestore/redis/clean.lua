-- Drops entries whose record is gone. KEYS: records, and at last their index.
-- ARGV: for each record its ID and owner.
for i = 1, #KEYS - 1 do
  if redis.call('EXISTS', KEYS[i]) == 0 then
    local id, owner = ARGV[2 * i - 1], ARGV[2 * i]
    redis.call('ZREM', KEYS[#KEYS], 'i' .. id .. owner, 'o' .. owner .. id)
  end
end
return 1
