package center

import (
	"iter"
	"slices"
	"strings"

	"github.com/tidwall/btree"
)

// A table is the elements of one kind, sorted by key. Its elements never change: a change puts another one in place.
// A fork shares all nodes of the B-tree with the table that it was made from, and copies those on the path to a change.
type table[T element] struct {
	m    btree.Map[string, row[T]]
	next int // the place of the next new element
}

// A row is an element and its place in the list of Data: new ones come last.
type row[T element] struct {
	v     *T
	place int
}

// fork returns a table with the same elements. Changes of one don't affect the other. Reads of t may go on meanwhile,
// but no other fork.
func (t *table[T]) fork() table[T] { return table[T]{*t.m.Copy(), t.next} }

func (t *table[T]) len() int { return t.m.Len() }

// get returns the element with a key, or nil.
func (t *table[T]) get(key string) *T {
	r, _ := t.m.Get(key)
	return r.v
}

// put adds an element, or replaces the one with its key, and returns that.
func (t *table[T]) put(v *T) (old *T) {
	r, known := t.m.Get((*v).key())
	if !known {
		r.place = t.next
		t.next++
	}
	old, r.v = r.v, v
	t.m.Set((*v).key(), r)
	return old
}

// drop removes the element with a key, and returns it. Nil: there was none.
func (t *table[T]) drop(key string) *T {
	r, _ := t.m.Delete(key)
	return r.v
}

// from yields the elements whose keys aren't less than a key, in order.
func (t *table[T]) from(key string) iter.Seq[*T] {
	return func(yield func(*T) bool) {
		t.m.Ascend(key, func(_ string, r row[T]) bool { return yield(r.v) })
	}
}

// all yields all elements, in order.
func (t *table[T]) all() iter.Seq[*T] { return t.from("") }

// list returns all elements, in the order of Data.
func (t *table[T]) list() []*T {
	rows := t.m.Values()
	slices.SortFunc(rows, func(a, b row[T]) int { return a.place - b.place })
	out := make([]*T, len(rows))
	for i, r := range rows {
		out[i] = r.v
	}
	return out
}

// copied returns copies of all elements, in the order of Data, or nil if there are none.
func copied[T element](t *table[T], clone func(T) T) []T {
	if t.len() == 0 {
		return nil
	}
	out := make([]T, 0, t.len())
	for _, v := range t.list() {
		out = append(out, clone(*v))
	}
	return out
}

func unchanged[T any](v T) T { return v }

func cloneGroup(g Group) Group {
	g.Members = slices.Clone(g.Members)
	return g
}

func cloneSet(p PermissionSet) PermissionSet {
	p.Policies = p.Policies.clone()
	return p
}

func cloneApplication(a Application) Application {
	a.AssignedTo = slices.Clone(a.AssignedTo)
	return a
}

// values yields copies of elements, in order, from a key on.
func values[T element](t *table[T], from string, clone func(T) T) iter.Seq[T] {
	return func(yield func(T) bool) {
		for v := range t.from(from) {
			if !yield(clone(*v)) {
				return
			}
		}
	}
}

// sortedCopies returns copies of elements, in order.
func sortedCopies[T element](list []*T, clone func(T) T) []T {
	out := make([]T, 0, len(list))
	for _, v := range list {
		out = append(out, clone(*v))
	}
	slices.SortFunc(out, func(a, b T) int { return strings.Compare(a.key(), b.key()) })
	return out
}
