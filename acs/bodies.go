package acs

import (
	"net/netip"
	"sync"
)

// bodies bounds the memory that the bodies of POSTs take together, from their
// first byte until their response is verified. Without a bound, clients that
// send most of a large body and then nothing hold it all until the server's
// read timeout.
//
// The same rule as for requests (see [clients]) keeps room for others: a client
// may hold a part of the budget that is smaller, by the third power, the less of
// it is left. Alone that is about a third, which is enough for thousands of
// ordinary responses at once from behind one proxy. An ordinary response of a
// client that holds nothing is let in as long as there is room for it.
type bodies struct {
	budget int

	mu   sync.Mutex
	held int                  // guarded by mu, as is by
	by   map[netip.Prefix]int // what each network holds; those that hold nothing are not in it
}

// ordinary is what a client may hold whatever the others do. Most responses are
// shorter.
const ordinary = 16 << 10

func newBodies(budget int64) *bodies {
	return &bodies{budget: int(budget), by: make(map[netip.Prefix]int)}
}

// holding is what one POST holds of the budget. It is used by one goroutine.
type holding struct {
	of   *bodies
	nets []network
	n    int
}

// hold begins with nothing. It must be released.
func (b *bodies) hold(addr string) *holding { return &holding{of: b, nets: networks(addr)} }

// add takes n bytes more, unless they may not be had.
func (h *holding) add(n int) bool {
	b := h.of
	b.mu.Lock()
	defer b.mu.Unlock()
	left := b.budget - b.held
	if n > left {
		return false
	}
	for _, net := range h.nets {
		if b.by[net.prefix]+n > max(ordinary, limit(b.budget, left, 1)) {
			return false
		}
	}
	h.move(n)
	return true
}

// free gives n bytes back.
func (h *holding) free(n int) {
	h.of.mu.Lock()
	defer h.of.mu.Unlock()
	h.move(-n)
}

// release gives back all of it.
func (h *holding) release() { h.free(h.n) }

// move counts n bytes more. The caller holds mu.
func (h *holding) move(n int) {
	h.n += n
	h.of.held += n
	for _, net := range h.nets {
		if now := h.of.by[net.prefix] + n; now > 0 {
			h.of.by[net.prefix] = now
		} else {
			delete(h.of.by, net.prefix)
		}
	}
}
