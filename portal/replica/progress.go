package replica

import (
	"context"
	"sync"
	"time"
)

// progress is how far each stream has taken effect here: of another Region's, the position
// in the original; of this Region's own, without a store, how far it was read, even if that
// could not be opened.
type progress struct {
	mu   sync.Mutex
	at   map[string]position // by stream
	next chan struct{}       // closed when something moves
}

// A position is a sequence in the original stream that a storeID names.
type position struct {
	store string
	seq   uint64
}

func newProgress() *progress { return &progress{at: map[string]position{}, next: make(chan struct{})} }

func (m *progress) set(stream string, p position) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if old := m.at[stream]; old.store == p.store && old.seq >= p.seq {
		return
	}
	m.at[stream] = p
	close(m.next)
	m.next = make(chan struct{})
}

// forget starts again with a stream that is read again.
func (m *progress) forget(stream string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.at, stream)
}

func (m *progress) get(stream string) (position, <-chan struct{}) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.at[stream], m.next
}

// wait waits until a stream has taken effect up to p, for most at most, and reports whether
// it has.
func (m *progress) wait(ctx context.Context, stream string, p position, most time.Duration) bool {
	timer := time.NewTimer(most)
	defer timer.Stop()
	for {
		at, moved := m.get(stream)
		if p.seq == 0 || at.store == p.store && at.seq >= p.seq {
			return true
		}
		select {
		case <-moved:
		case <-timer.C:
			return false
		case <-ctx.Done():
			return false
		}
	}
}

// applied notes that an arrival has taken effect.
func (n *Node) applied(a arrival) {
	if a.region == n.cfg.Region {
		return
	}
	n.progress.set(a.kind.stream(a.region), position{a.store, a.seq})
	if f := n.follower(a.region); f != nil {
		f.measure(a, n.cfg.Now())
	}
}
