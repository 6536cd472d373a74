package redisstore

import (
	"crypto/sha1"
	"encoding/hex"
)

// script is Lua that Redis runs as one step.
type script struct{ source, sum string }

func newScript(source string) script {
	sum := sha1.Sum([]byte(source)) // the name that Redis gives it
	return script{source: source, sum: hex.EncodeToString(sum[:])}
}

// What the scripts answer.
const (
	saysStored  = "STORED"
	saysExists  = "EXISTS"
	saysExpired = "EXPIRED"
	saysFull    = "FULL"
	saysForgot  = "FORGOT"
	saysPolicy  = "POLICY " // and the policy that Redis has
)

// checkPolicy is the beginning of scripts that add. Their argument 3 is the
// policy that Redis must have; empty: any. It is asked each time, because an
// operator can change it at any time, and because a replica that is promoted
// has its own.
const checkPolicy = `
if ARGV[3] ~= '' then
  local policy = string.match(redis.call('INFO', 'memory'), 'maxmemory_policy:([%w-]+)') or ''
  if policy ~= ARGV[3] then return 'POLICY ' .. policy end
end
`

// process is the beginning of scripts that compare or write the marker: the
// run ID of the process that Redis is now, and how many keys it has evicted.
const process = `
local run = string.match(redis.call('INFO', 'server'), 'run_id:(%x+)')
if not run then return redis.error_reply('INFO has no run_id') end
run = (string.match(redis.call('INFO', 'stats'), 'evicted_keys:(%d+)') or '0') .. ' ' .. run
`

// addAssertion has the keys of the record and of the marker; its arguments are
// the value, the end in milliseconds, the policy, and the marker that the store
// knows.
//
// The marker ends with the run ID of the process that wrote it. One that is
// still there under another run ID was read from a file, or came with a
// promoted replica; both may lack what was written last. Before the run ID is
// the number of keys that were evicted by then: if it has changed, what is
// missing may have been a record.
var addAssertion = newScript(`
local t = redis.call('TIME')
if tonumber(ARGV[2]) <= t[1] * 1000 + math.floor(t[2] / 1000) then return 'EXPIRED' end
` + checkPolicy + process + `
if redis.call('GET', KEYS[2]) ~= ARGV[4] or string.sub(ARGV[4], -#run - 1) ~= ' ' .. run then return 'FORGOT' end
if redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PXAT', ARGV[2]) then return 'STORED' end
return 'EXISTS'
`)

// addOther has the key of the record; its arguments are the value, the end,
// and the policy.
var addOther = newScript(`
local t = redis.call('TIME')
if tonumber(ARGV[2]) <= t[1] * 1000 + math.floor(t[2] / 1000) then return 'EXPIRED' end
` + checkPolicy + `
if redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PXAT', ARGV[2]) then return 'STORED' end
return 'EXISTS'
`)

// addRequest has the keys of the record and of the sorted set in which the
// requests are, by their ends; its arguments are the value, the end, the policy,
// the quota, and the name in the set. Those whose time is over don't count; each
// call sweeps out some, so none takes long.
var addRequest = newScript(`
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
if tonumber(ARGV[2]) <= now then return 'EXPIRED' end
` + checkPolicy + `
local over = redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', now, 'LIMIT', 0, 100)
if #over > 0 then redis.call('ZREM', KEYS[2], unpack(over)) end
if redis.call('EXISTS', KEYS[1]) == 1 then return 'EXISTS' end
if redis.call('ZCOUNT', KEYS[2], string.format('(%.0f', now), '+inf') >= tonumber(ARGV[4]) then return 'FULL' end
redis.call('SET', KEYS[1], ARGV[1], 'PXAT', ARGV[2])
redis.call('ZADD', KEYS[2], ARGV[2], ARGV[5])
return 'STORED'
`)

// takeRequest has the same keys; its argument is the name in the set.
var takeRequest = newScript(`
local v = redis.call('GETDEL', KEYS[1])
redis.call('ZREM', KEYS[2], ARGV[1])
return v
`)

// mark has the marker's key; its argument is something random. It gives the
// marker, which it makes if there is none by the process that Redis is now, or
// if keys were evicted since: microseconds by Redis's clock, the random part,
// the number of evicted keys, the run ID.
var mark = newScript(process + `
local m = redis.call('GET', KEYS[1])
if m and string.sub(m, -#run - 1) == ' ' .. run then return m end
local t = redis.call('TIME')
m = t[1] .. string.format('%06d', t[2]) .. ' ' .. ARGV[1] .. ' ' .. run
redis.call('SET', KEYS[1], m)
return m
`)
