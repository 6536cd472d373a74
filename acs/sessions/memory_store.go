package sessions

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"
)

// MemoryStore is a [Store] in memory, for a Region of one node. Several Regions in one process may share a
// MemoryStore. A restart ends all sessions.
type MemoryStore struct {
	region string

	mu     sync.Mutex
	byKey  map[string]Session
	ended  map[signIn]time.Time // ended sign-ins, and until when they are kept
	out    map[Subject][]Logout // by the subject's key
	epochs map[string]Epoch     // by user ID
	swept  time.Time            // the time of the last sweep
}

type signIn struct{ userID, id string }

// sweepEvery is how often Create looks for expired entries.
const sweepEvery = time.Minute

// MemoryConfig describes a [MemoryStore].
type MemoryConfig struct {
	// Region names this store's component of every Epoch. It may be empty.
	Region string
}

// NewMemoryStore returns an empty MemoryStore.
func NewMemoryStore(cfg MemoryConfig) *MemoryStore {
	return &MemoryStore{
		region: cfg.Region, byKey: map[string]Session{}, ended: map[signIn]time.Time{},
		out: map[Subject][]Logout{}, epochs: map[string]Epoch{},
	}
}

// Create implements Store.
func (m *MemoryStore) Create(_ context.Context, key string, s Session) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	s = s.Wall()
	m.sweep(s.Created)
	if !m.revoked(s) {
		m.byKey[key] = s
	}
	return nil
}

// revoked reports whether an earlier call ended the session. The caller holds mu.
func (m *MemoryStore) revoked(s Session) bool {
	_, over := m.ended[signIn{s.UserID, s.SignIn}]
	return over || !s.Epoch.Covers(m.epochs[s.UserID]) || m.loggedOut(s)
}

// loggedOut reports whether a Logout ends the session. The caller holds mu.
func (m *MemoryStore) loggedOut(s Session) bool {
	return slices.ContainsFunc(m.out[s.Proof.Subject.Key()], func(l Logout) bool { return l.Ends(s) })
}

// sweep removes expired entries. The caller holds mu.
func (m *MemoryStore) sweep(now time.Time) {
	if now.Sub(m.swept) < sweepEvery {
		return
	}
	m.swept = now
	maps.DeleteFunc(m.byKey, func(_ string, s Session) bool { return !now.Before(s.Expires) })
	maps.DeleteFunc(m.ended, func(_ signIn, until time.Time) bool { return !now.Before(until) })
	for subject, all := range m.out {
		m.out[subject] = slices.DeleteFunc(all, func(l Logout) bool { return !now.Before(l.Until) })
	}
	maps.DeleteFunc(m.out, func(_ Subject, all []Logout) bool { return len(all) == 0 })
}

// Get implements Store.
func (m *MemoryStore) Get(_ context.Context, key string) (Session, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if s, ok := m.byKey[key]; ok {
		return s, nil
	}
	return Session{}, ErrNoSession
}

// Touch implements Store.
func (m *MemoryStore) Touch(_ context.Context, key string, seen time.Time) error {
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

// End implements Store.
func (m *MemoryStore) End(_ context.Context, key string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.byKey, key)
	return nil
}

// remove removes and returns the sessions for which f is true. The caller holds mu. Keys are never reused.
func (m *MemoryStore) remove(f func(Session) bool) (removed []Session) {
	for key, s := range m.byKey {
		if f(s) {
			delete(m.byKey, key)
			removed = append(removed, s)
		}
	}
	return removed
}

// EndSignIn implements Store.
func (m *MemoryStore) EndSignIn(_ context.Context, userID, id string, until time.Time) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if over, until := (signIn{userID, id}), until.Round(0); until.After(m.ended[over]) {
		m.ended[over] = until
	}
	m.remove(m.revoked)
	return nil
}

// Revoke implements Store.
func (m *MemoryStore) Revoke(_ context.Context, userID, id string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.remove(func(s Session) bool { return s.UserID == userID && s.ID == id })) == 0 {
		return ErrNoSession
	}
	return nil
}

// RevokeUser implements Store.
func (m *MemoryStore) RevokeUser(_ context.Context, userID string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	e := m.epochs[userID]
	m.epochs[userID] = e.Merge(Epoch{m.region: e[m.region] + 1})
	m.remove(m.revoked)
	return nil
}

// EndSubject implements Store.
func (m *MemoryStore) EndSubject(_ context.Context, l Logout) ([]Session, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	key := l.Subject.Key()
	m.out[key] = AddLogout(m.out[key], l)
	ended := m.remove(l.Ends)
	slices.SortFunc(ended, NewestFirst)
	return ended, nil
}

// LoggedOut implements Store.
func (m *MemoryStore) LoggedOut(_ context.Context, s Session) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.loggedOut(s), nil
}

// Epoch implements Store.
func (m *MemoryStore) Epoch(_ context.Context, userID string) (Epoch, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.epochs[userID].Merge(nil), nil
}

// List implements Store.
func (m *MemoryStore) List(_ context.Context, userID string) ([]Session, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []Session
	for _, s := range m.byKey {
		if s.UserID == userID {
			out = append(out, s)
		}
	}
	slices.SortFunc(out, NewestFirst)
	return out, nil
}

// Len returns the number of stored sessions, including expired ones that are not swept yet.
func (m *MemoryStore) Len() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.byKey)
}
