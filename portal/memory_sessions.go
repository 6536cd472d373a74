package portal

import (
	"context"
	"sync"
	"time"
)

// MemorySessions is a Sessions for a Region of one node. A restart signs
// everybody out.
type MemorySessions struct {
	mu    sync.Mutex
	byKey map[string]Session
	swept time.Time // when expired sessions were last looked for
}

// sweepEvery bounds how often Create pays for a walk over all sessions.
const sweepEvery = time.Minute

// NewMemorySessions returns an empty MemorySessions.
func NewMemorySessions() *MemorySessions {
	return &MemorySessions{byKey: map[string]Session{}}
}

// Create implements Sessions.
func (m *MemorySessions) Create(_ context.Context, key string, s Session) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.sweep(s.Created)
	m.byKey[key] = s
	return nil
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
	if seen.After(s.Seen) {
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

// Len returns how many sessions are held, expired ones that were not swept yet
// included.
func (m *MemorySessions) Len() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.byKey)
}
