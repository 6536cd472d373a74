-- The beginning of every script.

-- now returns Redis's time in milliseconds.
local function now()
  local t = redis.call('TIME')
  return t[1] * 1000 + math.floor(t[2] / 1000)
end

-- other_policy returns Redis's maxmemory-policy if it is not the one wanted; an empty want accepts any. It is
-- asked each time, because it can change at any time, and a promoted replica has its own.
local function other_policy(want)
  if want == '' then return nil end
  local policy = string.match(redis.call('INFO', 'memory'), 'maxmemory_policy:([%w-]+)') or ''
  if policy ~= want then return policy end
end

-- process returns how many keys Redis has evicted, and the run ID of its process, as a marker ends.
local function process()
  local run = string.match(redis.call('INFO', 'server'), 'run_id:(%x+)')
  if not run then error('INFO has no run_id') end
  return (string.match(redis.call('INFO', 'stats'), 'evicted_keys:(%d+)') or '0') .. ' ' .. run
end

-- written_by reports whether this process wrote a marker, and has evicted nothing since.
local function written_by(process, marker)
  return string.sub(marker, -#process - 1) == ' ' .. process
end
