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
	order []slot // the oldest first; the values of some may have been dropped

	size      func(V) int // of a value in bytes; nil: 0
	bytes     int         // of the values in order
	mostBytes int         // bounds bytes
}

// slot is a place in a bounded table.
type slot struct {
	key  string
	size int
}

func (b *bounded[V]) put(key string, v V) {
	b.putUnless(key, v, func(map[string]V) bool { return false })
}

// add adds a value, unless the table has one with this key. It reports whether it did.
func (b *bounded[V]) add(key string, v V) bool {
	return b.putUnless(key, v, func(m map[string]V) bool { _, has := m[key]; return has })
}

func (b *bounded[V]) putUnless(key string, v V, refuses func(map[string]V) bool) (done bool) {
	next := slot{key: key}
	if b.size != nil {
		next.size = b.size(v)
	}
	b.with(func(m map[string]V) {
		if done = !refuses(m); !done {
			return
		}
		full := func() bool {
			return len(b.order) > 0 && (len(b.order) == b.most || b.bytes+next.size > b.mostBytes)
		}
		if full() {
			b.drops(func(x slot) bool { _, kept := m[x.key]; return !kept })
		}
		for full() {
			delete(m, b.order[0].key)
			b.bytes -= b.order[0].size
			b.order = slices.Delete(b.order, 0, 1)
		}
		m[key] = v
		b.order = append(b.order, next)
		b.bytes += next.size
	})
	return done
}

// drops removes slots.
func (b *bounded[V]) drops(which func(slot) bool) {
	b.order = slices.DeleteFunc(b.order, which)
	b.bytes = 0
	for _, x := range b.order {
		b.bytes += x.size
	}
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
