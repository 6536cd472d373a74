package replica

import (
	"errors"
	"sync"
	"time"

	"github.com/meridian-saml/meridian/portal/center"
)

// A stall is a write to the Region's log that gets no answer, as those who come
// after it see it. Without it each would wait for an answer of its own, one after
// the other, or be told for ever that another write came first: a leader that
// has lost the other servers keeps a write in flight, and refuses all that follow.
type stall struct {
	mu     sync.Mutex
	since  time.Time // when the first write began that has no answer; zero: none
	failed time.Time // when the last one of those gave up
}

// afterStall is for how long updates are refused at once after a write gave up:
// those that waited for it, and those that come together with them.
const afterStall = 500 * time.Millisecond

var errStalled = errors.New("replica: a write before it has no answer")

func (s *stall) begin() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.since.IsZero() {
		s.since = time.Now()
	}
}

// end notes what became of a write. Another one that came first is no answer: it
// may be the one in flight.
func (s *stall) end(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case err == nil:
		s.since, s.failed = time.Time{}, time.Time{}
	case !errors.Is(err, errConflict):
		s.failed = time.Now()
	case s.failed.IsZero():
		s.since = time.Time{}
	}
}

// over refuses what comes just after a write gave up.
func (s *stall) over() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if time.Since(s.failed) < afterStall {
		return unavailable("write to the Region's log", errStalled)
	}
	return nil
}

// inTheWay is the error for an update that finds another one in its way: one to
// try again, unless that one has had its time.
func (s *stall) inTheWay() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.since.IsZero() && time.Since(s.since) > writeTimeout {
		return unavailable("write to the Region's log", errStalled)
	}
	return center.ErrConflict
}
