package acs

import (
	"hash/maphash"
	"net/netip"
	"sync"
	"time"
)

// clients bounds how many of the requests that wait for an answer one client
// address has begun, so that no client uses up the store's quota for the others
// (the store itself can't tell clients apart, and drops nothing that is live).
//
// An address may have at most an eighth of the quota while all of it is left,
// and less, by the third power, the less is left. So one address alone gets a
// tenth of the quota, which is plenty for an office behind it; each further
// greedy address gets less than the one before, and it takes thousands of them
// to leave no room for an address that has nothing waiting (for a quota of
// 100,000: some such addresses are refused from about 3,000 on, or 1,600 sites
// of IPv6, and all from about 6,000 on).
//
// Half of an address's part is for what a user is known to have begun: by a
// click, or alone. A foreign page in one browser of an office can navigate its
// window to a sign-in on and on, without a click, and stays where it is and gets
// no cookie as long as it goes on before the answer is there. It uses up the
// other half.
//
// It counts in a table of fixed size, so it can't be made to grow. It is a
// count-min sketch: each address counts in one cell of every row, together with
// others, and the smallest of its cells says how many it has at most. An
// address is refused for others only if it shares all of its cells with greedy
// ones, and a random seed keeps an attacker from choosing such ones.
//
// Each node counts what it began itself. What is answered is taken off again
// where the answer comes to the node that began it, from the same address; all
// else is forgotten when it can't be answered any more.
type clients struct {
	quota int
	span  time.Duration // of a window
	seed  maphash.Seed

	mu      sync.Mutex
	newest  int64 // number of the newest window, by the clock; guarded by mu
	windows [windows]window
}

const (
	windows    = 4 // three for a request's lifetime, and the one that is being filled
	sketchRows = 4
	sketchBits = 12

	// What may be had of the quota while all of it is left: an eighth by one
	// address, and half by one site of IPv6, which has 65,536 of what is counted
	// as one.
	addressShare = 8
	siteShare    = 2
	// For what no user is known to have begun, these are so many times smaller.
	pageShare = 2

	defaultQuota = 100_000
)

// window counts the requests that were begun in one stretch of time.
type window struct {
	total  int
	counts [sketchRows][1 << sketchBits]uint32
}

func newClients(quota int, lifetime time.Duration) *clients {
	return &clients{quota: quota, span: max(1, lifetime/(windows-1)), seed: maphash.MakeSeed()}
}

// network is what an address counts under. The zero prefix is for addresses
// that can't be read: they are taken together.
type network struct {
	prefix netip.Prefix
	share  int
}

// networks returns what a client's address counts under. IPv6 hands out /64 to
// one host, and commonly /48 to one customer (RFC 6177).
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

// begin counts a request that addr begins now, unless it may not.
func (c *clients) begin(addr string, by Initiator, now time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.move(now)
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

// limit is how many requests a network may have waiting while so much of the
// quota is left: one at least.
func limit(quota, left, share int) int {
	free := float64(left) / float64(quota)
	return max(1, int(float64(quota)/float64(share)*free*free*free))
}

// end takes a request off again that addr began at an instant: it was answered,
// or not begun after all.
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
				return // it was begun elsewhere
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

// move makes the window of now the newest, and forgets those that are over.
// After a step of the clock it begins anew. The caller holds mu.
func (c *clients) move(now time.Time) {
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

// waiting is how many requests a network has waiting at most. The caller holds mu.
func (c *clients) waiting(n network) int {
	least := -1
	for row, cell := range c.cells(n) {
		sum := 0
		for i := range c.windows {
			sum += int(c.windows[i].counts[row][cell])
		}
		if least < 0 || sum < least {
			least = sum
		}
	}
	return least
}

// cells are where a network counts: one hash, a piece of it for each row.
func (c *clients) cells(n network) (out [sketchRows]int) {
	h := maphash.Comparable(c.seed, n.prefix)
	for row := range out {
		out[row] = int(h & (1<<sketchBits - 1))
		h >>= sketchBits
	}
	return out
}
