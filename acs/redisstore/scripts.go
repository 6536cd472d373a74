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
)

// addAssertion has the keys of the record and of the marker; its arguments are
// the value, the end in milliseconds, and the marker that the store knows.
//
// The marker ends with the run ID of the process that wrote it. One that is
// still there under another run ID was read from a file, or came with a
// promoted replica; both may lack what was written last.
var addAssertion = newScript(`
local t = redis.call('TIME')
if tonumber(ARGV[2]) <= t[1] * 1000 + math.floor(t[2] / 1000) then return 'EXPIRED' end
local run = string.match(redis.call('INFO', 'server'), 'run_id:(%x+)')
if not run or redis.call('GET', KEYS[2]) ~= ARGV[3] or string.sub(ARGV[3], -#run) ~= run then return 'FORGOT' end
if redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PXAT', ARGV[2]) then return 'STORED' end
return 'EXISTS'
`)

// addOther has the key of the record; its arguments are the value and the end.
var addOther = newScript(`
local t = redis.call('TIME')
if tonumber(ARGV[2]) <= t[1] * 1000 + math.floor(t[2] / 1000) then return 'EXPIRED' end
if redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PXAT', ARGV[2]) then return 'STORED' end
return 'EXISTS'
`)

// addRequest has the keys of the record and of the sorted set in which the
// requests are, by their ends; its arguments are the value, the end, the quota,
// and the name in the set. Those whose time is over don't count; each call
// sweeps out some, so none takes long.
var addRequest = newScript(`
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
if tonumber(ARGV[2]) <= now then return 'EXPIRED' end
local over = redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', now, 'LIMIT', 0, 100)
if #over > 0 then redis.call('ZREM', KEYS[2], unpack(over)) end
if redis.call('EXISTS', KEYS[1]) == 1 then return 'EXISTS' end
if redis.call('ZCOUNT', KEYS[2], string.format('(%.0f', now), '+inf') >= tonumber(ARGV[3]) then return 'FULL' end
redis.call('SET', KEYS[1], ARGV[1], 'PXAT', ARGV[2])
redis.call('ZADD', KEYS[2], ARGV[2], ARGV[4])
return 'STORED'
`)

// takeRequest has the same keys; its argument is the name in the set.
var takeRequest = newScript(`
local v = redis.call('GETDEL', KEYS[1])
redis.call('ZREM', KEYS[2], ARGV[1])
return v
`)

// mark has the marker's key; its argument is something random. It gives the
// marker, which it makes if there is none by the process that Redis is now:
// microseconds by Redis's clock, the random part, the run ID.
var mark = newScript(`
local run = string.match(redis.call('INFO', 'server'), 'run_id:(%x+)')
if not run then return redis.error_reply('INFO has no run_id') end
local m = redis.call('GET', KEYS[1])
if m and string.sub(m, -#run) == run then return m end
local t = redis.call('TIME')
m = t[1] .. string.format('%06d', t[2]) .. ' ' .. ARGV[1] .. ' ' .. run
redis.call('SET', KEYS[1], m)
return m
`)
