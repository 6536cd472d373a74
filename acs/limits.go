package acs

import (
	"maps"
	"net/netip"
	"sync"
	"time"
)

// clients bounds how many of the waiting requests one client address has begun, so that no client uses up
// the store's quota (the store can't tell clients apart, and drops nothing that is live).
//
// An address may have at most an eighth of the quota while all of it is left, and less, by the third
// power, the less is left. So one address alone gets a tenth of the quota, and each further greedy address
// gets less than the one before. With a quota of 100,000, addresses that have nothing waiting begin to be
// refused at about 3,000 greedy addresses (1,600 sites of IPv6), and all are from about 6,000 on.
//
// Half of an address's part is for requests that a user is known to have begun. A foreign page can
// navigate its window to a sign-in again and again without a click; it uses up the other half only.
//
// Each node counts what it began. An answer at the same node, from the same address, takes its request
// off; all others are forgotten when they can't be answered any more. The quota bounds the memory, too.
type clients struct {
	quota int
	span  time.Duration // of a window

	mu      sync.Mutex
	windows map[int64]*window // by number; guarded by mu
}

const (
	windows = 4 // three for a request's lifetime, and the current one

	addressShare = 8 // an address may have 1/8 of a free quota
	siteShare    = 2 // and a site of IPv6 half of it: it has 65,536 networks that count as an address
	pageShare    = 2 // of these parts, 1/2 is for requests that no user is known to have begun
)

// window counts the requests that were begun in one span of time.
type window struct {
	total     int
	byNetwork tally
}

// tally counts by network. It has no zero counts.
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

// network is what an address counts under. All invalid addresses count under the zero prefix.
type network struct {
	prefix netip.Prefix
	share  int
}

// networks returns what a client's address counts under. In IPv6 a host has a /64, and a customer
// commonly a /48 (RFC 6177).
func networks(addr string) []network {
	ip, err := netip.ParseAddr(addr)
	if port, noPort := netip.ParseAddrPort(addr); noPort == nil {
		ip, err = port.Addr(), nil
	}
	if err != nil {
		return []network{{share: addressShare}}
	}
	ip = ip.Unmap().WithZone("")
	if ip.Is4() {
		return []network{{netip.PrefixFrom(ip, 32), addressShare}}
	}
	host, _ := ip.Prefix(64) // the lengths fit
	site, _ := ip.Prefix(48)
	return []network{{host, addressShare}, {site, siteShare}}
}

// begin counts a request that addr begins now, and reports whether that was allowed.
func (c *clients) begin(addr string, by Initiator, now time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	number := c.number(now)
	maps.DeleteFunc(c.windows, func(n int64, _ *window) bool { // too old, or from before a step of the clock
		return n <= number-windows || n >= number+windows
	})
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
		waiting := 0
		for _, w := range c.windows {
			waiting += w.byNetwork[n.prefix]
		}
		if waiting >= limit(c.quota, left, part*n.share) {
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

// limit returns how many requests a network may have waiting while left of the quota is free: at least 1.
func limit(quota, left, share int) int {
	free := float64(left) / float64(quota)
	return max(1, int(float64(quota)/float64(share)*free*free*free))
}

// end takes off a request that addr began at an instant, because it was answered or could not be begun.
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

// bodies bounds the memory that the bodies of POSTs take together, from their first byte until their
// response is verified. Without a bound, clients that send most of a large body and then stall hold it
// until the server's read timeout.
//
// A client may hold a part of the budget that shrinks by the third power as the budget is used up, as for
// requests (see [clients]): about a third if it is alone. A body of ordinarySize of a client that holds
// nothing is read as long as there is room for it.
type bodies struct {
	budget int

	mu        sync.Mutex
	held      int // guarded by mu, as is byNetwork
	byNetwork tally
}

// ordinarySize is what a client may hold whatever the others do. Most responses are shorter.
const ordinarySize = 16 << 10

func newBodies(budget int64) *bodies {
	return &bodies{budget: int(budget), byNetwork: tally{}}
}

// holding is what one POST holds of the budget. It is used by one goroutine.
type holding struct {
	of   *bodies
	nets []network
	n    int
}

// hold returns a holding of nothing. It must be released.
func (b *bodies) hold(addr string) *holding { return &holding{of: b, nets: networks(addr)} }

// add reserves n more bytes, and reports whether that was allowed.
func (h *holding) add(n int) bool {
	b := h.of
	b.mu.Lock()
	defer b.mu.Unlock()
	left := b.budget - b.held
	if n > left {
		return false
	}
	for _, net := range h.nets {
		if b.byNetwork[net.prefix]+n > max(ordinarySize, limit(b.budget, left, 1)) {
			return false
		}
	}
	h.count(n)
	return true
}

// free gives n bytes back.
func (h *holding) free(n int) {
	h.of.mu.Lock()
	defer h.of.mu.Unlock()
	h.count(-n)
}

// release gives all bytes back.
func (h *holding) release() { h.free(h.n) }

// count adds n to every counter. The caller holds mu.
func (h *holding) count(n int) {
	h.n += n
	h.of.held += n
	h.of.byNetwork.add(h.nets, n)
}
