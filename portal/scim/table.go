package scim

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A table is the elements of one kind, users or groups, found by what clients
// look for.
type table[T any] struct {
	all      []T                                  // in the instance's order; a removed one has no ID
	keys     func(*T) (id, name, external string) // of an element
	nameAttr string                               // the attribute that the name is, in lower case

	at       map[string]int // by ID
	names    multi          // by folded name
	external multi          // by exact externalId
}

// newTable takes ownership of all.
func newTable[T any](all []T, nameAttr string, keys func(*T) (id, name, external string)) *table[T] {
	t := &table[T]{all: all, keys: keys, nameAttr: nameAttr, at: make(map[string]int, len(all))}
	t.names = fill(len(all), func(i int) string { _, name, _ := keys(&all[i]); return fold(name) })
	t.external = fill(len(all), func(i int) string { _, _, external := keys(&all[i]); return external })
	for i := range all {
		id, _, _ := keys(&all[i])
		t.at[id] = i
	}
	return t
}

func (t *table[T]) get(id string) (element T, ok bool) {
	i, ok := t.at[id]
	if !ok {
		return element, false
	}
	return t.all[i], true
}

// put adds an element, or replaces the one with its ID.
func (t *table[T]) put(element T) {
	id, name, external := t.keys(&element)
	i, ok := t.at[id]
	if ok {
		t.forget(i)
		t.all[i] = element
	} else {
		i = len(t.all)
		t.all = append(t.all, element)
	}
	t.at[id] = i
	t.names.add(fold(name), i)
	t.external.add(external, i)
}

// drop removes an element that is there.
func (t *table[T]) drop(id string) {
	i := t.at[id]
	t.forget(i)
	var none T
	t.all[i] = none
}

// forget makes an element one that nothing finds.
func (t *table[T]) forget(i int) {
	id, name, external := t.keys(&t.all[i])
	delete(t.at, id)
	t.names.remove(fold(name), i)
	t.external.remove(external, i)
}

// search returns the positions of the elements that match a filter, or of all
// for nil. A term that must hold and that the table can look up narrows it down
// before anything is compared.
func (t *table[T]) search(f *filter, match func(T, *filter) bool) []int {
	from, known := []int(nil), false
	if f != nil {
		from, known = t.narrow(f)
	}
	if !known {
		from = make([]int, len(t.all))
		for i := range from {
			from[i] = i
		}
	}
	if f == nil {
		return from
	}
	out := make([]int, 0, len(from))
	for _, i := range from {
		if match(t.all[i], f) {
			out = append(out, i)
		}
	}
	return out
}

// narrow looks for a term that nothing matches f without.
func (t *table[T]) narrow(f *filter) (found []int, known bool) {
	if f.op != opAnd {
		return t.lookup(f)
	}
	for _, arg := range f.args {
		if found, known = t.narrow(arg); known {
			return found, true
		}
	}
	return nil, false
}

// lookup finds the elements that a term is about, if the table can.
func (t *table[T]) lookup(about *filter) (found []int, known bool) {
	if about.op != opEqual {
		return nil, false
	}
	s, _ := about.value.(string)
	switch about.attr {
	case "id":
		if i, ok := t.at[s]; ok {
			return []int{i}, true
		}
		return nil, true
	case t.nameAttr:
		return t.names[fold(s)], true
	case "externalid":
		return t.external[s], true
	}
	return nil, false
}

// multi finds all elements that have a key. An instance that was configured by
// hand may hold names that differ in case only, so one is not enough.
type multi map[string][]int

func (m multi) add(key string, i int) {
	if key != "" {
		m[key] = append(m[key], i)
	}
}

func (m multi) remove(key string, i int) {
	// The slice may be shared with nobody: add and fill make it.
	if left := slices.DeleteFunc(m[key], func(o int) bool { return o == i }); len(left) > 0 {
		m[key] = left
	} else {
		delete(m, key)
	}
}

// fill is add for many, with one allocation for all keys that come once.
func fill(n int, key func(int) string) multi {
	m, backing := make(multi, n), make([]int, n)
	for i := range n {
		k := key(i)
		if at, taken := m[k]; taken {
			m[k] = append(at, i)
		} else if k != "" {
			backing[i] = i
			m[k] = backing[i : i+1 : i+1]
		}
	}
	return m
}

// fold gives two strings the same key exactly if strings.EqualFold holds for
// them: userName and displayName are not case-exact (RFC 7643 4.1.1, 8.7.1).
func fold(s string) string {
	if strings.IndexFunc(s, func(r rune) bool { return r >= utf8.RuneSelf || ('A' <= r && r <= 'Z') }) < 0 {
		return s // nearly all of them
	}
	return strings.Map(func(r rune) rune {
		least := r
		for f := unicode.SimpleFold(r); f != r; f = unicode.SimpleFold(f) {
			least = min(least, f)
		}
		if 'A' <= least && least <= 'Z' {
			least += 'a' - 'A' // as in the names that are returned above
		}
		return least
	}, s)
}
