-- Keys: the record's, and that of the sorted set of the requests, by their ends.
-- Arguments: the value, the end in milliseconds, the policy, the quota, and the name in the set.
--
-- Expired requests don't count. Each call removes up to 100 of them, so none takes long.
local now = now()
if tonumber(ARGV[2]) <= now then return 'EXPIRED' end
local policy = other_policy(ARGV[3])
if policy then return 'POLICY ' .. policy end
local over = redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', now, 'LIMIT', 0, 100)
if #over > 0 then redis.call('ZREM', KEYS[2], unpack(over)) end
if redis.call('EXISTS', KEYS[1]) == 1 then return 'EXISTS' end
if redis.call('ZCOUNT', KEYS[2], string.format('(%.0f', now), '+inf') >= tonumber(ARGV[4]) then return 'FULL' end
redis.call('SET', KEYS[1], ARGV[1], 'PXAT', ARGV[2])
redis.call('ZADD', KEYS[2], ARGV[2], ARGV[5])
return 'STORED'
