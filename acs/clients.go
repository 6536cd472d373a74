package acs

import (
	"hash/maphash"
	"math"
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
// Requests are counted in a count-min sketch, a table of fixed size: each address counts in one cell of
// every row, together with others, and the smallest of its cells bounds its number from above. An address
// is refused for others' requests only if all of its cells are shared with greedy addresses; the random
// seed keeps an attacker from choosing those.
//
// Each node counts what it began. An answer at the same node, from the same address, takes its request
// off; all others are forgotten when they can't be answered any more.
type clients struct {
	quota int
	span  time.Duration // of a window
	seed  maphash.Seed

	mu      sync.Mutex
	newest  int64 // number of the newest window; guarded by mu, as is windows
	windows [windows]window
}

const (
	windows    = 4 // three for a request's lifetime, and the current one
	sketchRows = 4
	sketchBits = 12

	addressShare = 8 // an address may have 1/8 of a free quota
	siteShare    = 2 // and a site of IPv6 half of it: it has 65,536 networks that count as an address
	pageShare    = 2 // of these parts, 1/2 is for requests that no user is known to have begun

)

// window counts the requests of one span of time.
type window struct {
	total  int
	counts [sketchRows][1 << sketchBits]uint32
}

func newClients(quota int, lifetime time.Duration) *clients {
	return &clients{quota: quota, span: max(1, lifetime/(windows-1)), seed: maphash.MakeSeed()}
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
	c.advance(now)
	left := c.quota
	for i := range c.windows {
		left -= c.windows[i].total
	}
	if left <= 0 {
		return false
	}
	nets, part := networks(addr), 1
	if by == InitiatorPage {
		part = pageShare
	}
	for _, n := range nets {
		if c.waiting(n) >= limit(c.quota, left, part*n.share) {
			return false
		}
	}
	w := c.at(c.newest)
	w.total++
	for _, n := range nets {
		for row, cell := range c.cells(n) {
			w.counts[row][cell]++
		}
	}
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
	number := c.number(began)
	if number > c.newest || number <= c.newest-windows {
		return
	}
	w, nets := c.at(number), networks(addr)
	for _, n := range nets {
		for row, cell := range c.cells(n) {
			if w.counts[row][cell] == 0 {
				return // another node or address began it
			}
		}
	}
	w.total--
	for _, n := range nets {
		for row, cell := range c.cells(n) {
			w.counts[row][cell]--
		}
	}
}

// advance makes the window of now the newest, and clears older ones as needed. After a step of the clock
// it clears all. The caller holds mu.
func (c *clients) advance(now time.Time) {
	to := c.number(now)
	switch gone := to - c.newest; {
	case gone <= -windows || gone >= windows:
		c.windows = [windows]window{}
	case gone <= 0:
		return
	default:
		for n := c.newest + 1; n <= to; n++ {
			*c.at(n) = window{}
		}
	}
	c.newest = to
}

func (c *clients) number(t time.Time) int64 { return t.UnixNano() / int64(c.span) }

func (c *clients) at(number int64) *window {
	return &c.windows[((number%windows)+windows)%windows]
}

// waiting returns an upper bound of the requests that a network has waiting. The caller holds mu.
func (c *clients) waiting(n network) int {
	least := math.MaxInt
	for row, cell := range c.cells(n) {
		sum := 0
		for i := range c.windows {
			sum += int(c.windows[i].counts[row][cell])
		}
		least = min(least, sum)
	}
	return least
}

// cells returns the cell of each row in which a network counts.
func (c *clients) cells(n network) (out [sketchRows]int) {
	h := maphash.Comparable(c.seed, n.prefix)
	for row := range out {
		out[row] = int(h & (1<<sketchBits - 1))
		h >>= sketchBits
	}
	return out
}
