package storeerr

import (
	"sync"
	"time"
)

// Memory holds the instant since which a store remembers, and the marker in the store that proves it: while
// the marker is the same, nothing was lost. It is safe for concurrent use.
type Memory[M any] struct {
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

// Mark returns the known marker.
func (m *Memory[M]) Mark() M {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.mark
}

// Learn sets the marker, and the instant since which it proves that nothing was lost.
func (m *Memory[M]) Learn(mark M, since time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.mark = mark
	if since.After(m.since) {
		m.since = since
	}
}

// Change changes the known marker.
func (m *Memory[M]) Change(change func(*M)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	change(&m.mark)
}

// Forget is called when a marker no longer holds. If it is still the known one, Forget calls learn, so
// learn is called once for all calls that notice the same loss.
func (m *Memory[M]) Forget(isLost func(M) bool, learn func() error) error {
	m.Learning.Lock()
	defer m.Learning.Unlock()
	if !isLost(m.Mark()) {
		return nil
	}
	return learn()
}
