package acs

import "sync"

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
