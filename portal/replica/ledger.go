package replica

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/meridian-saml/meridian/acs/sessions"
	"github.com/meridian-saml/meridian/portal/replica/internal/merge"
)

// A ledger guards what is known of all Regions' sessions, and wakes those who
// wait for a code.
type ledger struct {
	mu    sync.RWMutex
	known *merge.Sessions
	came  chan struct{} // closed when a code arrives

	closed bool              // nothing is taken in any more
	raised map[string]uint64 // counts of epochs, by user, that are not on disk: see durableEpoch

	codeWaits atomic.Int32 // how many wait for one
}

func newLedger(region, primary string, also ...merge.EntryKind) *ledger {
	return &ledger{known: merge.NewSessions(region, primary, also...), came: make(chan struct{}), raised: map[string]uint64{}}
}

// merge takes an entry of a Region's streams in.
func (l *ledger) merge(region string, kind merge.EntryKind, e merge.Entry) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return nil
	}
	if err := l.known.Take(region, kind, e); err != nil {
		return refused(ReasonCorrupt, err)
	}
	if kind == merge.EntryCode {
		close(l.came)
		l.came = make(chan struct{})
	}
	return nil
}

// enforce ends the sessions of users that a transaction disables or removes.
func (l *ledger) enforce(region string, t merge.Transaction) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.known.Enforce(region, t)
}

// doubt keeps a Region's sessions from letting users in, or no longer does.
func (l *ledger) doubt(region string, doubted bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.known.Doubt(region, doubted)
}

// foresee ends those sessions before the transaction is written.
func (l *ledger) foresee(region string, t merge.Transaction) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return
	}
	l.known.Foresee(region, t)
}

// raise ends all sessions of a user that are known here, and returns the count
// of the Region's component of the user's epoch that does so.
func (l *ledger) raise(user, region string, least uint64) (next uint64, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return least, nil
	}
	next = l.known.NextEpoch(user, region, least)
	if err := l.known.Take(region, merge.EntryUser, merge.Entry{User: user, Epoch: next}); err != nil {
		return 0, refused(ReasonCorrupt, err)
	}
	l.raised[user] = next
	return next, nil
}

func (l *ledger) get(key string) (sessions.Session, bool) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.known.Get(key)
}

func (l *ledger) touch(key string, seen time.Time, every time.Duration) (s sessions.Session, due, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.known.Touch(key, seen, every)
}

func (l *ledger) list(user string) []sessions.Session {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.known.List(user)
}

// endedBy returns the sessions that a logout would end.
func (l *ledger) endedBy(out sessions.Logout) []sessions.Session {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.known.EndedBy(out)
}

func (l *ledger) epoch(user string) sessions.Epoch {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.known.Epoch(user)
}

func (l *ledger) signedOut(user, signIn string) time.Time {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.known.SignedOut(user, signIn)
}

// code returns the code under a key, and what is closed when another arrives.
func (l *ledger) code(key string) (merge.Code, bool, <-chan struct{}) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	c, ok := l.known.Code(key)
	return c, ok, l.came
}

// count is how many sessions there are, by the Region that they live in. Sign-ins
// wait while they are counted: some 10 ms where there are 100,000.
func (l *ledger) count() map[string]int {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.known.Count()
}

func (l *ledger) sweep(now time.Time, skew time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.known.Sweep(now, skew)
}

// sweepDeparted forgets what removed Regions counted.
func (l *ledger) sweepDeparted(now time.Time, life, skew time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.known.SweepDeparted(now, life, skew)
}

// close forgets everything, for good.
func (l *ledger) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed, l.known = true, merge.NewSessions("", "")
}

// facts copies what is known. Sign-ins wait while it is copied, and not while
// it is hashed.
func (l *ledger) facts() []merge.Fact {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.known.Facts()
}
