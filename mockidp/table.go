package mockidp

import (
	"slices"
	"sync"
)

// guarded is a value that several goroutines share.
type guarded[T any] struct {
	mu    sync.Mutex
	value T
}

// with calls f with the value, under the lock.
func (g *guarded[T]) with(f func(*T)) {
	g.mu.Lock()
	defer g.mu.Unlock()
	f(&g.value)
}

// table is a map that several goroutines share. The zero value is empty.
type table[V any] struct{ guarded[map[string]V] }

// with calls f with the map, under the lock.
func (t *table[V]) with(f func(map[string]V)) {
	t.guarded.with(func(m *map[string]V) {
		if *m == nil {
			*m = map[string]V{}
		}
		f(*m)
	})
}

func (t *table[V]) get(key string) (v V, ok bool) {
	t.with(func(m map[string]V) { v, ok = m[key] })
	return v, ok
}

func (t *table[V]) put(key string, v V) { t.with(func(m map[string]V) { m[key] = v }) }

// update changes a value if the table has it.
func (t *table[V]) update(key string, f func(*V)) {
	t.with(func(m map[string]V) {
		if v, ok := m[key]; ok {
			f(&v)
			m[key] = v
		}
	})
}

func (t *table[V]) drop(key string) { t.with(func(m map[string]V) { delete(m, key) }) }
func (t *table[V]) reset()          { t.with(func(m map[string]V) { clear(m) }) }

// bounded is a table of at most most values. A new one replaces the oldest.
type bounded[V any] struct {
	table[V]
	most  int
	order []string // of the keys, the oldest first; some may have been dropped
}

func (b *bounded[V]) put(key string, v V) {
	b.with(func(m map[string]V) {
		if len(b.order) == b.most {
			b.order = slices.DeleteFunc(b.order, func(k string) bool { _, kept := m[k]; return !kept })
		}
		if len(b.order) == b.most {
			delete(m, b.order[0])
			b.order = slices.Delete(b.order, 0, 1)
		}
		m[key] = v
		b.order = append(b.order, key)
	})
}

// broadcast wakes all goroutines that wait for a change.
type broadcast struct{ guarded[chan struct{}] }

// wait returns a channel that is closed at the next wake. Call it before reading what may change.
func (b *broadcast) wait() (next <-chan struct{}) {
	b.with(func(ch *chan struct{}) {
		if *ch == nil {
			*ch = make(chan struct{})
		}
		next = *ch
	})
	return next
}

func (b *broadcast) wake() {
	b.with(func(ch *chan struct{}) {
		if *ch != nil {
			close(*ch)
			*ch = nil
		}
	})
}
