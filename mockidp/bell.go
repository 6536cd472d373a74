package mockidp

import "sync"

// bell wakes everybody who waits for the next change of something.
type bell struct {
	mu sync.Mutex
	ch chan struct{} // closed at the next wake; nil while nobody waits
}

// wait returns a channel that is closed at the next wake. Take it before
// looking at what may change.
func (b *bell) wait() <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.ch == nil {
		b.ch = make(chan struct{})
	}
	return b.ch
}

func (b *bell) wake() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.ch != nil {
		close(b.ch)
		b.ch = nil
	}
}
