package mockidp

import (
	"slices"
	"sync"
)

// keptSignIns bounds the sign-ins under way, at each step: opening one takes
// nothing, so the oldest give way.
const keptSignIns = 1000

// bounded holds at most keptSignIns values by key.
type bounded[T any] struct {
	mu    sync.Mutex
	byKey map[string]T
	order []string // of the keys, the oldest first
}

func (b *bounded[T]) put(key string, v T) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.byKey == nil {
		b.byKey = map[string]T{}
	}
	if len(b.order) == keptSignIns {
		delete(b.byKey, b.order[0])
		b.order = slices.Delete(b.order, 0, 1)
	}
	b.byKey[key] = v
	b.order = append(b.order, key)
}

func (b *bounded[T]) get(key string) (T, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	v, ok := b.byKey[key]
	return v, ok
}

// update changes a value that is there.
func (b *bounded[T]) update(key string, f func(*T)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if v, ok := b.byKey[key]; ok {
		f(&v)
		b.byKey[key] = v
	}
}

func (b *bounded[T]) drop(key string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.byKey, key)
	b.order = without(b.order, key)
}

func (b *bounded[T]) reset() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.byKey, b.order = nil, nil
}
