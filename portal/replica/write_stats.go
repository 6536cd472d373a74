package replica

import (
	"sync"
	"time"
)

// writes counts what was written to the Region's own streams since the observer
// was told last.
type writes struct {
	mu           sync.Mutex
	done, failed uint64
	longest      time.Duration
}

// note takes the end of a write in. That another write came first is no failure
// of the server's.
func (w *writes) note(took time.Duration, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case conflict(err):
		return
	case err != nil:
		w.failed++
	default:
		w.done++
	}
	w.longest = max(w.longest, took)
}

// since returns what there was since it was called last.
func (w *writes) since() (done, failed uint64, longest time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	done, failed, longest = w.done, w.failed, w.longest
	w.done, w.failed, w.longest = 0, 0, 0
	return done, failed, longest
}
