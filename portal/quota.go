package portal

import (
	"maps"
	"slices"
	"sync"
	"time"
)

// quotaTime is how long a use counts.
const quotaTime = time.Minute

// quota counts, in this process, what users did in the last minute that is written to disk and sent to every Region. A
// key is of a signed-in user, or of a verified sign-in.
type quota struct {
	mu    sync.Mutex
	until map[string][]time.Time // by key: how long each use counts
	swept time.Time
}

func newQuota() quota { return quota{until: map[string][]time.Time{}} }

// allow reports whether the key has been used less often than most in the last minute, and then counts one more use.
func (q *quota) allow(key string, most int, now time.Time) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if now.Sub(q.swept) >= quotaTime {
		q.swept = now
		maps.DeleteFunc(q.until, func(_ string, uses []time.Time) bool { return !slices.ContainsFunc(uses, now.Before) })
	}
	uses := slices.DeleteFunc(q.until[key], func(until time.Time) bool { return !now.Before(until) })
	allowed := len(uses) < most
	if allowed {
		uses = append(uses, now.Add(quotaTime))
	}
	q.until[key] = uses
	return allowed
}
