-- Keys: as of add_request. Argument: the name in the set.
local v = redis.call('GETDEL', KEYS[1])
redis.call('ZREM', KEYS[2], ARGV[1])
return v
