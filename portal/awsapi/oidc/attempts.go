package oidc

import (
	"maps"
	"slices"
	"sync"
	"time"
)

// What follows counts what known clients and users do too often. Each node counts for itself. The entries are bounded:
// each is of a device code, an authorization or a session that this Region made.

// often counts events by key within a span of time.
type often struct {
	mu    sync.Mutex
	times map[string][]time.Time
	swept time.Time
}

// allow reports whether key had fewer than most events within span before now, and counts one more if so.
func (o *often) allow(key string, most int, span time.Duration, now time.Time) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	recent := func(t time.Time) bool { return now.Sub(t) < span && !t.After(now) }
	if o.times == nil || now.Sub(o.swept) >= span || now.Before(o.swept) {
		o.swept = now
		maps.DeleteFunc(o.times, func(_ string, all []time.Time) bool { return !slices.ContainsFunc(all, recent) })
	}
	if o.times == nil {
		o.times = map[string][]time.Time{}
	}
	all := slices.DeleteFunc(o.times[key], func(t time.Time) bool { return !recent(t) })
	allowed := len(all) < most
	if allowed {
		all = append(all, now)
	}
	o.times[key] = all
	return allowed
}

const (
	// pollBurst is how many polls one interval may have: AWS's command line makes two at once when it begins. The interval
	// is measured a little shorter than it is, because networks delay requests.
	pollBurst = 2
	pollSpan  = pollInterval * 9 / 10

	// maxRefreshes is how often an authorization may be renewed in refreshSpan. Each time leaves a record until the
	// authorization ends.
	maxRefreshes = 60
	refreshSpan  = 10 * time.Minute
)

// polls are the polls of device codes and the renewals of authorizations.
type polls struct{ devices, refreshes often }

func (p *polls) device(id string, now time.Time) bool {
	return p.devices.allow(id, pollBurst, pollSpan, now)
}

func (p *polls) refresh(key string, now time.Time) bool {
	return p.refreshes.allow(key, maxRefreshes, refreshSpan, now)
}

const (
	// maxWrong is how many wrong user codes a session may enter in wrongSpan. With 34.6 bits, guessing needs far more.
	maxWrong  = 5
	wrongSpan = 15 * time.Minute
	// maxWrongHere is the maximum of all sessions of the Region, in wrongHere.
	maxWrongHere = 50
	wrongHere    = time.Minute
)

// wrongCodes counts the wrong user codes that sessions enter.
type wrongCodes struct {
	mu        sync.Mutex
	bySession map[string][]time.Time
	all       []time.Time
}

// begin reports whether a session may enter a code, and counts it as a wrong one until right is called. So concurrent
// attempts count too.
func (c *wrongCodes) begin(session string, now time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.all = slices.DeleteFunc(c.all, func(t time.Time) bool { return now.Sub(t) >= wrongHere })
	maps.DeleteFunc(c.bySession, func(_ string, all []time.Time) bool { return now.Sub(all[len(all)-1]) >= wrongSpan })
	if len(c.all) >= maxWrongHere || len(c.bySession[session]) >= maxWrong {
		return false
	}
	if c.bySession == nil {
		c.bySession = map[string][]time.Time{}
	}
	c.all = append(c.all, now)
	c.bySession[session] = append(c.bySession[session], now)
	return true
}

// right takes back what begin has counted, because the code was a right one.
func (c *wrongCodes) right(session string, began time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	drop := func(all []time.Time) []time.Time {
		if i := slices.Index(all, began); i >= 0 {
			return slices.Delete(all, i, i+1)
		}
		return all
	}
	c.all = drop(c.all)
	if mine := drop(c.bySession[session]); len(mine) > 0 {
		c.bySession[session] = mine
	} else {
		delete(c.bySession, session)
	}
}
