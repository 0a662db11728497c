-- Deletes a record and its entries. KEYS: record, index. ARGV: ID.
local owner = redis.pcall('GETRANGE', KEYS[1], 8, 23)
local gone = redis.pcall('DEL', KEYS[1])
if type(gone) == 'table' then return redis.error_reply(gone.err) end
if type(owner) == 'string' and #owner == 16 then
  redis.call('ZREM', KEYS[2], 'i' .. ARGV[1] .. owner, 'o' .. owner .. ARGV[1])
end
return gone
