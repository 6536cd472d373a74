package storeerr

import (
	"sync"
	"time"
)

// Memory is since when a store remembers, and what it knows of the marker in
// the store that vouches for that: while the marker is the same, nothing was
// lost. The zero Memory knows none. It is safe for concurrent use.
type Memory[M interface{ Same(M) bool }] struct {
	Learning sync.Mutex // held while Since is being moved

	mu    sync.Mutex
	mark  M
	since time.Time // never moves back
}

// Since implements acs.Rememberer.
func (m *Memory[M]) Since() time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.since
}

// Mark returns what is known of the marker.
func (m *Memory[M]) Mark() M {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.mark
}

// Learn takes over a marker, and since when it vouches.
func (m *Memory[M]) Learn(mark M, since time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.mark = mark
	if since.After(m.since) {
		m.since = since
	}
}

// Change changes what is known of the marker.
func (m *Memory[M]) Change(change func(*M)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	change(&m.mark)
}

// Forget is for a caller that knew a marker which doesn't hold any more. It
// calls learn, once for all calls that notice the same.
func (m *Memory[M]) Forget(known M, learn func() error) error {
	m.Learning.Lock()
	defer m.Learning.Unlock()
	if !m.Mark().Same(known) {
		return nil
	}
	return learn()
}
