-- Deletes a record and its entry. KEYS: record, directory. ARGV: the ID without
-- its first byte. The entry may be on another node where a slot is moving, and is
-- dropped later.
local try = redis.pcall
local head = try('GETRANGE', KEYS[1], '0', '23')
local gone = try('DEL', KEYS[1])
if type(gone) == 'table' then return redis.error_reply(gone.err) end
if type(head) == 'string' and #head == 24 then try('ZREM', tools().place(KEYS[2], head, ARGV[1])) end
return gone
