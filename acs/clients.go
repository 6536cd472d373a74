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
	if err != nil {
		port, err := netip.ParseAddrPort(addr)
		if err != nil {
			return []network{{share: addressShare}}
		}
		ip = port.Addr()
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
