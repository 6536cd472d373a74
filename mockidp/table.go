package mockidp

import (
	"slices"
	"sync"
)

// table is a map that many goroutines share. The zero value is empty.
type table[V any] struct {
	mu    sync.Mutex
	byKey map[string]V
}

// with calls f with the map, under the lock.
func (t *table[V]) with(f func(map[string]V)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.byKey == nil {
		t.byKey = map[string]V{}
	}
	f(t.byKey)
}

func (t *table[V]) get(key string) (v V, ok bool) {
	t.with(func(m map[string]V) { v, ok = m[key] })
	return v, ok
}

func (t *table[V]) put(key string, v V) {
	t.with(func(m map[string]V) { m[key] = v })
}

// update changes a value that is there.
func (t *table[V]) update(key string, f func(*V)) {
	t.with(func(m map[string]V) {
		if v, ok := m[key]; ok {
			f(&v)
			m[key] = v
		}
	})
}

func (t *table[V]) drop(key string) {
	t.with(func(m map[string]V) { delete(m, key) })
}

func (t *table[V]) reset() {
	t.with(func(m map[string]V) { clear(m) })
}

// keptSignIns bounds the sign-ins under way, at each step: opening one takes
// nothing, so the oldest give way.
const keptSignIns = 1000

// bounded is a table of at most keptSignIns values.
type bounded[V any] struct {
	table[V]
	order []string // of the keys, the oldest first; those that were dropped may be among them
}

func (b *bounded[V]) put(key string, v V) {
	b.with(func(m map[string]V) {
		if len(b.order) == keptSignIns {
			delete(m, b.order[0])
			b.order = slices.Delete(b.order, 0, 1)
		}
		m[key] = v
		b.order = append(b.order, key)
	})
}
