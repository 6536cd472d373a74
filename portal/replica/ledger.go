package replica

import (
	"sync"
	"sync/atomic"

	"github.com/meridian-saml/meridian/portal/replica/internal/merge"
)

// A ledger guards the state of all Regions' sessions, and wakes callers that wait
// for a code.
type ledger struct {
	mu     sync.RWMutex
	known  *merge.Sessions
	came   chan struct{}     // closed when a code arrives
	closed bool              // nothing is taken in any more
	raised map[string]uint64 // counts of epochs, by user, that are not on disk: see durableEpoch

	codeWaits atomic.Int32 // how many callers wait for a code
}

func newLedger(region, primary string, also ...merge.EntryKind) *ledger {
	return &ledger{known: merge.NewSessions(region, primary, also...), came: make(chan struct{}), raised: map[string]uint64{}}
}

// read calls f, which must only read. Sign-ins wait meanwhile.
func (l *ledger) read(f func(*merge.Sessions)) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	f(l.known)
}

// update calls f, unless the ledger is closed.
func (l *ledger) update(f func(*merge.Sessions)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.closed {
		f(l.known)
	}
}

// merge takes an entry of a Region's streams in.
func (l *ledger) merge(region string, kind merge.EntryKind, e merge.Entry) (err error) {
	l.update(func(s *merge.Sessions) {
		if err = s.Take(region, kind, e); err != nil {
			err = mergeError(ReasonCorrupt, err)
		} else if kind == merge.EntryCode {
			close(l.came)
			l.came = make(chan struct{})
		}
	})
	return err
}

// raise ends all sessions of a user that are known here, and returns the count
// of the Region's component of the user's epoch that does so.
func (l *ledger) raise(user, region string, least uint64) (next uint64, err error) {
	next = least
	l.update(func(s *merge.Sessions) {
		next = s.NextEpoch(user, region, least)
		if err = s.Take(region, merge.EntryUser, merge.Entry{User: user, Epoch: next}); err != nil {
			err = mergeError(ReasonCorrupt, err)
			return
		}
		l.raised[user] = next
	})
	return next, err
}

// code returns the code under a key, and a channel that is closed when another
// arrives.
func (l *ledger) code(key string) (c merge.Code, ok bool, came <-chan struct{}) {
	l.read(func(s *merge.Sessions) { c, ok = s.Code(key); came = l.came })
	return c, ok, came
}

// close forgets everything, for good.
func (l *ledger) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed, l.known = true, merge.NewSessions("", "")
}
