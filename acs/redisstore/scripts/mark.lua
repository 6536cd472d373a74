-- Key: the marker's. Arguments: a random text, and the policy.
--
-- It returns the marker, and makes a new one if there is none, another process wrote it, or keys were evicted
-- since: microseconds by Redis's clock, the random text, the number of evicted keys, the run ID.
local policy = other_policy(ARGV[2])
if policy then return 'POLICY ' .. policy end
local process = process()
local m = redis.call('GET', KEYS[1])
if m and written_by(process, m) then return m end
local t = redis.call('TIME')
m = t[1] .. string.format('%06d', t[2]) .. ' ' .. ARGV[1] .. ' ' .. process
redis.call('SET', KEYS[1], m)
return m
