package shortcuts

import (
	"context"
	"sync"
)

// Store keeps the users' lists of one Region, and knows those of the others. Any error means that the store can't
// answer. Methods are safe for concurrent use.
type Store interface {
	// Shortcuts returns the merged list of a user, from this Region's own copy. An unknown user has the zero List.
	Shortcuts(ctx context.Context, userID string) (List, error)
	// Put stores a list, which Shortcuts has returned and the caller has changed. It waits for no other Region.
	Put(ctx context.Context, userID string, l List) error
}

// MemoryStore is a [Store] in memory, for a Region of one node. Several Regions in one process may share it.
type MemoryStore struct {
	mu    sync.Mutex
	lists map[string]List // by user ID
}

// NewMemoryStore returns an empty MemoryStore.
func NewMemoryStore() *MemoryStore { return &MemoryStore{lists: map[string]List{}} }

// Shortcuts implements Store.
func (m *MemoryStore) Shortcuts(_ context.Context, userID string) (List, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.lists[userID], nil
}

// Put implements Store.
func (m *MemoryStore) Put(_ context.Context, userID string, l List) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.lists[userID] = Merge(m.lists[userID], l) // a concurrent Put's change counts, too
	return nil
}
