package portal

import (
	"context"
	"slices"
	"sync"
	"time"
)

// MemorySessions is a Sessions in memory, for a Region of one node. Portals of
// several Regions in one process may share one: it then is what all of them
// know. A restart signs everybody out.
type MemorySessions struct {
	region string

	mu     sync.Mutex
	byKey  map[string]Session
	ended  map[signIn]time.Time // which are over, and until when to remember
	epochs map[string]Epoch     // by user ID; whoever is not here has the nil Epoch
	swept  time.Time            // when what has expired was last looked for
}

type signIn struct{ userID, id string }

// sweepEvery bounds how often Create pays for a walk over all sessions.
const sweepEvery = time.Minute

// NewMemorySessions returns an empty MemorySessions whose component of every
// Epoch has no name.
func NewMemorySessions() *MemorySessions { return NewMemorySessionsIn("") }

// NewMemorySessionsIn returns an empty MemorySessions whose component of every
// Epoch is the Region's.
func NewMemorySessionsIn(region string) *MemorySessions {
	return &MemorySessions{region: region, byKey: map[string]Session{}, ended: map[signIn]time.Time{}, epochs: map[string]Epoch{}}
}

// Create implements Sessions.
func (m *MemorySessions) Create(_ context.Context, key string, s Session) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	s = s.wall()
	m.sweep(s.Created)
	if !m.revoked(s) {
		m.byKey[key] = s
	}
	return nil
}

// revoked says whether what ended sessions before holds for this one. The
// caller holds mu.
func (m *MemorySessions) revoked(s Session) bool {
	_, over := m.ended[signIn{s.UserID, s.SignIn}]
	return over || !s.Epoch.Covers(m.epochs[s.UserID])
}

// sweep forgets what has expired by now. The caller holds mu.
func (m *MemorySessions) sweep(now time.Time) {
	if now.Sub(m.swept) < sweepEvery {
		return
	}
	m.swept = now
	for key, s := range m.byKey {
		if !now.Before(s.Expires) {
			delete(m.byKey, key)
		}
	}
	for over, until := range m.ended {
		if !now.Before(until) {
			delete(m.ended, over)
		}
	}
}

// Get implements Sessions.
func (m *MemorySessions) Get(_ context.Context, key string) (Session, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	s, ok := m.byKey[key]
	if !ok {
		return Session{}, ErrNoSession
	}
	return s, nil
}

// Touch implements Sessions.
func (m *MemorySessions) Touch(_ context.Context, key string, seen time.Time) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	s, ok := m.byKey[key]
	if !ok {
		return ErrNoSession
	}
	if seen = seen.Round(0); seen.After(s.Seen) {
		s.Seen = seen
		m.byKey[key] = s
	}
	return nil
}

// End implements Sessions.
func (m *MemorySessions) End(_ context.Context, key string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.byKey, key)
	return nil
}

// remove drops every session for which f says so, and says how many. The
// caller holds mu. Nothing that was removed can come back: keys are never
// used twice.
func (m *MemorySessions) remove(f func(Session) bool) int {
	before := len(m.byKey)
	for key, s := range m.byKey {
		if f(s) {
			delete(m.byKey, key)
		}
	}
	return before - len(m.byKey)
}

// EndSignIn implements Sessions.
func (m *MemorySessions) EndSignIn(_ context.Context, userID, id string, until time.Time) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if over, until := (signIn{userID, id}), until.Round(0); until.After(m.ended[over]) {
		m.ended[over] = until
	}
	m.remove(m.revoked)
	return nil
}

// Revoke implements Sessions.
func (m *MemorySessions) Revoke(_ context.Context, userID, id string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.remove(func(s Session) bool { return s.UserID == userID && s.ID == id }) == 0 {
		return ErrNoSession
	}
	return nil
}

// RevokeUser implements Sessions.
func (m *MemorySessions) RevokeUser(_ context.Context, userID string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	e := m.epochs[userID]
	m.epochs[userID] = e.Merge(Epoch{m.region: e[m.region] + 1})
	m.remove(m.revoked)
	return nil
}

// Epoch implements Sessions.
func (m *MemorySessions) Epoch(_ context.Context, userID string) (Epoch, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.epochs[userID].Merge(nil), nil
}

// List implements Sessions.
func (m *MemorySessions) List(_ context.Context, userID string) ([]Session, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []Session
	for _, s := range m.byKey {
		if s.UserID == userID {
			out = append(out, s)
		}
	}
	slices.SortFunc(out, newestFirst)
	return out, nil
}

// newestFirst is the order of List.
func newestFirst(a, b Session) int {
	if c := b.Created.Compare(a.Created); c != 0 {
		return c
	}
	if a.ID < b.ID {
		return -1
	}
	return 1
}

// Len returns how many sessions are held, expired ones that were not swept yet
// included.
func (m *MemorySessions) Len() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.byKey)
}
