package acs

import (
	"cmp"
	"context"
	"net/netip"
	"slices"
	"sync"
	"time"
)

// Without a limit, responses that arrive faster than the stores take them all become slow together, and use memory
// while they wait. So a node processes only so many at the same time, as its [pace] allows. The others wait for their
// turn briefly, and are refused before anything is verified or consumed, so the browser can send them again.

// Bounds of waiting.
const (
	maxWaiting   = 8192 // responses in total: a client can use about a third (see [budget])
	leastWaiting = 8    // responses of a client that may always wait if there is room
	// A response waits a little longer than a sign-in takes that is alone, so until one of the places is free, and at
	// least leastPatience. A burst may wait for burstPatience, so that users who sign in at the same time all get in.
	// When responses have been waiting for that long, it is no burst.
	burstPatience = time.Second
	leastPatience = 5 * time.Millisecond
	// firstPatience is for the time in which no sign-in has ended yet.
	firstPatience = 5 * time.Second
)

// Bounds of the choice of the next response.
const (
	lately  = time.Second
	maxSeen = 256 // queues that are compared, the newest ones
)

// admission decides which responses are processed when. The consumers of a Region share it.
//
// The network with the fewest responses in process is next, and of several such networks the one with the fewest that
// began lately: if only one is processed at the same time, none has any in process then. So a client that sends many
// responses, valid or not, delays its own. Of several such networks, and of the responses of one, the newest is next:
// if there are too many, each admitted response has hardly waited, while in the order of arrival each would have waited
// as long as it may. The networks of an IPv6 site share what the site has.
type admission struct {
	room *budget // for those that wait

	mu      sync.Mutex
	pace    pace
	process tally     // by network
	begun   tally     // by network, since the last whole lately
	since   time.Time // when begun was emptied
	queues  map[netip.Prefix]*queue
	recent  []*queue      // those with a waiting response; the one of the newest response is the last
	full    time.Time     // since when every response has to wait; zero: the last one did not
	granted time.Duration // the longest wait of those that wait
	refused time.Time     // when the last response was refused; zero: none was
}

// queue is the waiting responses of one network.
type queue struct {
	nets    []network // its own, and in IPv6 the site
	waiting []*turn
}

func (q *queue) of() netip.Prefix { return q.nets[0].prefix }

func (q *queue) site() netip.Prefix { return q.nets[len(q.nets)-1].prefix }

// turn is a waiting response.
type turn struct {
	since time.Time
	ready chan struct{} // closed when it may be processed, or is refused
	begun bool
	start place
}

// place is the place of a response that is processed.
type place struct {
	in       *admission
	nets     []network
	at       time.Time
	started  int // how many responses had begun by then
	wasAlone bool
	ended    bool
}

func newAdmission(most int) *admission {
	return &admission{
		room: &budget{total: maxWaiting, least: leastWaiting, byNetwork: tally{}},
		pace: newPace(most), process: tally{}, begun: tally{}, queues: map[netip.Prefix]*queue{},
	}
}

// enter waits until a response of addr may be processed. Without an error, the caller must call end once.
func (a *admission) enter(ctx context.Context, addr string) (*place, error) {
	held := a.room.hold(addr)
	if !held.add(1) {
		return nil, a.refuse()
	}
	defer held.release()
	nets, now := networks(addr), time.Now()
	t := &turn{since: now, ready: make(chan struct{})}
	a.mu.Lock()
	a.enqueue(nets, t)
	a.dispatch(now)
	switch {
	case t.begun:
		a.full = time.Time{}
	case a.full.IsZero():
		a.full = now
	}
	wait := a.wait(now)
	a.granted = max(a.granted, wait)
	a.mu.Unlock()
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-t.ready:
	case <-timer.C:
	case <-ctx.Done():
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if t.begun {
		return &t.start, nil
	}
	a.remove(nets[0].prefix, t)
	a.refused = time.Now()
	return nil, errBusy()
}

func (a *admission) refuse() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.refused = time.Now()
	return errBusy()
}

func errBusy() error {
	return newError(ReasonBusy, "responses at the same time", "more than the stores take")
}

// wait returns how long a response waits that arrives now. The caller holds mu.
func (a *admission) wait(now time.Time) time.Duration {
	alone := a.pace.alone
	if alone == 0 {
		return firstPatience
	}
	least := max(leastPatience, alone+alone/4)
	burst := max(least, burstPatience)
	if !a.full.IsZero() && now.Sub(a.full) > burst {
		return least
	}
	return burst
}

// shorten refuses the responses that have waited longer than one may that arrives now. The caller holds mu.
func (a *admission) shorten(now time.Time) {
	wait := a.wait(now)
	if wait >= a.granted {
		return
	}
	a.granted = wait
	for _, q := range slices.Clone(a.recent) {
		for _, t := range slices.Clone(q.waiting) {
			if now.Sub(t.since) > wait {
				a.remove(q.of(), t)
				close(t.ready)
			} else {
				a.granted = max(a.granted, burstPatience) // its own timer runs on
			}
		}
	}
}

// overloaded reports whether a response was refused within a time.
func (a *admission) overloaded(within time.Duration) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return !a.refused.IsZero() && time.Since(a.refused) < within
}

func (a *admission) enqueue(nets []network, t *turn) {
	q := a.queues[nets[0].prefix]
	if q == nil {
		q = &queue{nets: nets}
		a.queues[q.of()] = q
	} else {
		a.recent = without(a.recent, q)
	}
	a.recent = append(a.recent, q)
	q.waiting = append(q.waiting, t)
}

// remove removes a waiting response, if it waits.
func (a *admission) remove(of netip.Prefix, t *turn) {
	q := a.queues[of]
	if q == nil || !slices.Contains(q.waiting, t) {
		return
	}
	if q.waiting = without(q.waiting, t); len(q.waiting) == 0 {
		a.recent = without(a.recent, q)
		delete(a.queues, of)
	}
}

func without[T comparable](all []T, one T) []T {
	i := slices.Index(all, one)
	return slices.Delete(all, i, i+1)
}

// dispatch begins waiting responses while there are places. The caller holds mu.
func (a *admission) dispatch(now time.Time) {
	if now.Sub(a.since) >= lately {
		a.begun, a.since = tally{}, now
	}
	for a.pace.free() && len(a.recent) > 0 {
		q := a.next()
		t := q.waiting[len(q.waiting)-1]
		a.remove(q.of(), t)
		a.process.add(q.nets, 1)
		a.begun.add(q.nets, 1)
		t.start = place{in: a, nets: q.nets, at: now, started: a.pace.begin(), wasAlone: a.pace.inProcess == 1}
		t.begun = true
		close(t.ready)
	}
}

// next returns the queue of the network with the fewest responses in process.
func (a *admission) next() *queue {
	var best *queue
	for _, q := range slices.Backward(a.recent[max(0, len(a.recent)-maxSeen):]) {
		if best == nil || a.before(q, best) {
			best = q
		}
		if site := q.site(); a.process[site] == 0 && a.begun[site] == 0 {
			break // none has fewer
		}
	}
	return best
}

// before reports whether the network of a queue has fewer responses than another's. A site's count first.
func (a *admission) before(q, other *queue) bool {
	for _, t := range []tally{a.process, a.begun} {
		for _, at := range []func(*queue) netip.Prefix{(*queue).site, (*queue).of} {
			if c := cmp.Compare(t[at(q)], t[at(other)]); c != 0 {
				return c < 0
			}
		}
	}
	return false
}

// end ends the processing; a second call does nothing. accepted: it was a sign-in from start to end, so its time
// counts.
func (p *place) end(accepted bool) {
	if p == nil {
		return // it was not admitted
	}
	a, now := p.in, time.Now()
	a.mu.Lock()
	defer a.mu.Unlock()
	if p.ended {
		return
	}
	p.ended = true
	a.process.add(p.nets, -1)
	took := time.Duration(0)
	if accepted {
		took = now.Sub(p.at)
	}
	a.pace.end(took, p.wasAlone && p.started == a.pace.started, now)
	a.shorten(now)
	a.dispatch(now)
}
