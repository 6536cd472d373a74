package oidc

import (
	"maps"
	"slices"
	"sync"
	"time"
)

// What follows counts what known clients and users do too often. Each node counts for itself. The entries are bounded:
// each is of a device code, an authorization or a user of this Region.

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

	// maxRefreshes is how often an authorization may be renewed in refreshSpan, and maxUserRefreshes how often all of a
	// user's. Each time leaves a record until the authorization ends, and a store that is full refuses every sign-in.
	maxRefreshes     = 60
	maxUserRefreshes = 600
	refreshSpan      = 10 * time.Minute
)

// polls are the polls of device codes and the renewals of authorizations.
type polls struct{ devices, refreshes, users often }

func (p *polls) device(id string, now time.Time) bool {
	return p.devices.allow(id, pollBurst, pollSpan, now)
}

func (p *polls) refresh(session, user string, now time.Time) bool {
	return p.refreshes.allow(session, maxRefreshes, refreshSpan, now) &&
		p.users.allow(user, maxUserRefreshes, refreshSpan, now)
}

const (
	// maxWrong is how many wrong user codes a user may enter in wrongSpan, in all of their sessions. With 34.6 bits,
	// guessing needs far more. A user who signs in again gets no more, and so can't use up what all users have.
	maxWrong  = 5
	wrongSpan = 15 * time.Minute
	// maxWrongHere is the maximum of all users of the Region, in wrongHere.
	maxWrongHere = 50
	wrongHere    = time.Minute
)

// wrongCodes counts the wrong user codes that users enter.
type wrongCodes struct {
	mu     sync.Mutex
	byUser map[string][]time.Time
	all    []time.Time
}

// begin reports whether a user may enter a code, and counts it as a wrong one until right is called. So concurrent
// attempts count too.
func (c *wrongCodes) begin(user string, now time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.all = slices.DeleteFunc(c.all, func(t time.Time) bool { return now.Sub(t) >= wrongHere })
	maps.DeleteFunc(c.byUser, func(_ string, all []time.Time) bool { return now.Sub(all[len(all)-1]) >= wrongSpan })
	if len(c.all) >= maxWrongHere || len(c.byUser[user]) >= maxWrong {
		return false
	}
	if c.byUser == nil {
		c.byUser = map[string][]time.Time{}
	}
	c.all = append(c.all, now)
	c.byUser[user] = append(c.byUser[user], now)
	return true
}

// right takes back what begin has counted, because the code was a right one.
func (c *wrongCodes) right(user string, began time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	drop := func(all []time.Time) []time.Time {
		if i := slices.Index(all, began); i >= 0 {
			return slices.Delete(all, i, i+1)
		}
		return all
	}
	c.all = drop(c.all)
	if mine := drop(c.byUser[user]); len(mine) > 0 {
		c.byUser[user] = mine
	} else {
		delete(c.byUser, user)
	}
}
