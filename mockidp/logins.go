package mockidp

import (
	"sync"
	"time"
)

// loginTable is when people signed in last. It isn't part of the state: a
// sign-in changes nothing that is configured or pushed anywhere. Only users who
// exist have an entry.
type loginTable struct {
	mu   sync.Mutex
	byID map[string]time.Time // by User.ID
}

func (t *loginTable) put(id string, at time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.byID == nil {
		t.byID = map[string]time.Time{}
	}
	t.byID[id] = at
}

// last is zero for somebody who never signed in.
func (t *loginTable) last(id string) time.Time {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.byID[id]
}

func (t *loginTable) forget(id string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.byID, id)
}

func (t *loginTable) reset() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.byID = nil
}
