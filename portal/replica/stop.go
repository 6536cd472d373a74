package replica

import (
	"maps"
	"slices"
	"sync"
)

// stops are the reasons for which a Region that was ready doesn't serve: no
// session or code is made or shown, and nothing is written to its log, unless the
// cause concerns sessions alone. What ends access is written nevertheless, the
// gate answers, and the instance can be read: callers hold it already. Each cause stands alone, and the Region serves again
// when none is left.
type stops struct {
	mu      sync.Mutex
	causes  map[string]*Error
	changed chan struct{} // closed when there is a change
}

func newStops() *stops { return &stops{causes: map[string]*Error{}, changed: make(chan struct{})} }

// set sets or clears (nil) what a cause says, and says whether that was a change.
func (s *stops) set(cause string, err *Error) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	was := s.causes[cause]
	if was == nil && err == nil || was != nil && err != nil && was.Error() == err.Error() {
		return false
	}
	if s.causes[cause] = err; err == nil {
		delete(s.causes, cause)
	}
	close(s.changed)
	s.changed = make(chan struct{})
	return true
}

// look returns why the Region doesn't serve, or nil, and what is closed when
// that changes.
func (s *stops) look() (*Error, <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.causes) == 0 {
		return nil, s.changed
	}
	first := slices.Min(slices.Collect(maps.Keys(s.causes)))
	return s.causes[first], s.changed
}

// stopped refuses while the Region doesn't serve.
func (n *Node) stopped() error {
	if err, _ := n.stops.look(); err != nil {
		return err
	}
	return nil
}

// causeSessions is the cause that concerns sessions and codes alone. It comes from
// other Regions, so it must not keep the primary from removing one of them.
const causeSessions = "sessions"

// noUpdates refuses while nothing may be written to the Region's log.
func (n *Node) noUpdates() error {
	n.stops.mu.Lock()
	defer n.stops.mu.Unlock()
	for _, cause := range slices.Sorted(maps.Keys(n.stops.causes)) {
		if cause != causeSessions && cause != causeEnds {
			return n.stops.causes[cause]
		}
	}
	return nil
}

// stop sets or clears a cause, and says so once.
func (n *Node) stop(cause string, err *Error) {
	if !n.stops.set(cause, err) {
		return
	}
	if err != nil {
		n.cfg.Logger.Error("replica: this Region does not serve", "region", n.cfg.Region, "cause", cause, "error", err)
		return
	}
	n.cfg.Logger.Info("replica: no longer in the way", "region", n.cfg.Region, "cause", cause)
}
