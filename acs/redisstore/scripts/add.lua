-- Keys: the record's and, for an assertion, the marker's.
-- Arguments: the value, the end in milliseconds, the policy and, for an assertion, the marker that the store knows.
--
-- A marker that another process wrote was read from a file, or came with a promoted replica; both may lack the
-- last writes. If the number of evicted keys has changed, one of them may have been a record.
if tonumber(ARGV[2]) <= now() then return 'EXPIRED' end
local policy = other_policy(ARGV[3])
if policy then return 'POLICY ' .. policy end
if KEYS[2] and (redis.call('GET', KEYS[2]) ~= ARGV[4] or not written_by(process(), ARGV[4])) then return 'FORGOT' end
if redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PXAT', ARGV[2]) then return 'STORED' end
return 'EXISTS'
