package acs

import (
	"maps"
	"net/netip"
	"sync"
	"time"
)

// clients bounds the pending requests of each client address, so that no client uses up the store's quota. The
// store itself doesn't distinguish clients, and never drops a live record.
//
// The limit of an address is an eighth of the quota, multiplied by the third power of the quota's free fraction.
// So a single address can have a tenth of the quota, and each further address that exhausts its limit has less
// than the one before. With a quota of 100,000 and about 3,000 such addresses (1,600 sites of IPv6), some
// addresses without pending requests are refused. With about 6,000, all are.
//
// Half of the limit is reserved for requests that a user is known to have begun. Another site's page can navigate
// its window to a sign-in again and again without a click, but uses up the other half only.
//
// Each node counts the requests that it began. An answer at the same node from the same address removes its
// request from the count. Other requests are removed when they have expired. The quota bounds the memory, too.
type clients struct {
	quota int
	span  time.Duration // of a window

	mu      sync.Mutex
	windows map[int64]*window // by number; guarded by mu
}

const (
	windows = 4 // three for a request's lifetime, and the current one

	pageShare = 2 // 1/2 of these limits for requests that no user is known to have begun
)

// window counts the requests that were begun in one span of time.
type window struct {
	total     int
	byNetwork tally
}

// tally counts requests by network. It has no zero counts.
type tally map[netip.Prefix]int

func (t tally) add(nets []network, n int) {
	for _, net := range nets {
		if t[net.prefix] += n; t[net.prefix] == 0 {
			delete(t, net.prefix)
		}
	}
}

func newClients(quota int, lifetime time.Duration) *clients {
	return &clients{quota: quota, span: max(1, lifetime/(windows-1)), windows: make(map[int64]*window)}
}

// begin reports whether addr may begin a request now, and counts it if so.
func (c *clients) begin(addr string, by Initiator, now time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	number := c.number(now)
	c.forget(number)
	left := c.quota
	for _, w := range c.windows {
		left -= w.total
	}
	if left <= 0 {
		return false
	}
	nets, part := networks(addr), 1
	if by == InitiatorPage {
		part = pageShare
	}
	for _, n := range nets {
		pending := 0
		for _, w := range c.windows {
			pending += w.byNetwork[n.prefix]
		}
		if pending >= limit(c.quota, left, part*n.share) {
			return false
		}
	}
	w := c.windows[number]
	if w == nil {
		w = &window{byNetwork: tally{}}
		c.windows[number] = w
	}
	w.total++
	w.byNetwork.add(nets, 1)
	return true
}

// forget removes the windows that are too old, or from before a step of the clock. The caller holds mu.
func (c *clients) forget(number int64) {
	maps.DeleteFunc(c.windows, func(n int64, _ *window) bool { return n <= number-windows || n >= number+windows })
}

// idle reports whether nothing is counted.
func (c *clients) idle(now time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.forget(c.number(now))
	return len(c.windows) == 0
}

// limit returns how many pending requests a network may have while left of the quota is free: at least 1.
func limit(quota, left, share int) int {
	free := float64(left) / float64(quota)
	return max(1, int(float64(quota)/float64(share)*free*free*free))
}

// end removes a request of addr from the count, because it was answered or could not be stored.
func (c *clients) end(addr string, began time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	w, nets := c.windows[c.number(began)], networks(addr)
	if w == nil || w.byNetwork[nets[0].prefix] == 0 {
		return // too old, or begun at another node or address
	}
	w.total--
	w.byNetwork.add(nets, -1)
}

func (c *clients) number(t time.Time) int64 { return t.UnixNano() / int64(c.span) }

// budget bounds what clients use at the same time: the memory of bodies, or the calls to an identity provider.
//
// A client's limit shrinks with the third power of the free fraction, as for requests (see [clients]). A single
// client can use about a third. What a client without other use needs at least is granted whenever there is room
// for it.
type budget struct {
	total, least int

	mu        sync.Mutex
	held      int // guarded by mu, as is byNetwork
	byNetwork tally
}

// ordinarySize is what the body of a client may always use if it is free. Most responses are shorter.
const ordinarySize = 16 << 10

// newBodies returns the budget of the memory of all bodies, from the first byte until the message is verified. Without
// it, clients could send most of a large body, stall, and keep the memory in use until the server's read timeout.
func newBodies(memory int64) *budget {
	return &budget{total: int(memory), least: ordinarySize, byNetwork: tally{}}
}

// holding is the part of a budget that one request uses. One goroutine uses it.
type holding struct {
	of   *budget
	nets []network
	n    int
}

// hold returns an empty holding. The caller must release it.
func (b *budget) hold(addr string) *holding { return &holding{of: b, nets: networks(addr)} }

// add reserves n more. It returns false if the limit doesn't allow them.
func (h *holding) add(n int) bool {
	b := h.of
	b.mu.Lock()
	defer b.mu.Unlock()
	left := b.total - b.held
	if n > left {
		return false
	}
	for _, net := range h.nets {
		if b.byNetwork[net.prefix]+n > max(b.least, limit(b.total, left, 1)) {
			return false
		}
	}
	h.count(n)
	return true
}

// free returns n to the budget.
func (h *holding) free(n int) {
	h.of.mu.Lock()
	defer h.of.mu.Unlock()
	h.count(-n)
}

// release returns all to the budget.
func (h *holding) release() { h.free(h.n) }

// count adds n to all counters. The caller holds mu.
func (h *holding) count(n int) {
	h.n += n
	h.of.held += n
	h.of.byNetwork.add(h.nets, n)
}
