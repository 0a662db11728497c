-- Deletes a record and its entry. KEYS: record, directory. ARGV: the ID without
-- its first byte.
local head = redis.pcall('GETRANGE', KEYS[1], '0', '23')
local gone = redis.pcall('DEL', KEYS[1])
if type(gone) == 'table' then return redis.error_reply(gone.err) end
if type(head) == 'string' and #head == 24 then
  local t = tools()
  t.leave(KEYS[2], t.place(KEYS[2], head, ARGV[1]))
end
return gone
