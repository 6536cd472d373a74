-- Key: the record's. Arguments: the known version, the next one, the value, the end in milliseconds or 0, the policy.
--
-- A record is its version, which has 16 characters, and its value.
local policy = other_policy(ARGV[5])
if policy then return 'POLICY ' .. policy end
local old = redis.call('GET', KEYS[1])
if (old and string.sub(old, 1, 16) or '') ~= ARGV[1] then return 'CHANGED' end
if ARGV[4] == '0' then
  redis.call('SET', KEYS[1], ARGV[2] .. ARGV[3])
else
  redis.call('SET', KEYS[1], ARGV[2] .. ARGV[3], 'PXAT', ARGV[4])
end
return 'STORED'
