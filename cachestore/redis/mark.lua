-- Sets the mark that caches are in use. KEYS: the mark. ARGV: the new one, and those
-- that it may take the place of; '' is none. The answer: the one before.
local mark = redis.call('GET', KEYS[1]) or ''
for i = 2, #ARGV do
  if ARGV[i] == mark then
    if ARGV[1] == '' then redis.call('DEL', KEYS[1]) else redis.call('SET', KEYS[1], ARGV[1]) end
    break
  end
end
return mark
