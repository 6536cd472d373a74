package scim

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A table holds the elements of one kind, users or groups, with lookups by the
// attributes that clients search for.
type table[T any] struct {
	all      []T                                  // in the instance's order; a removed one has no ID
	keys     func(*T) (id, name, external string) // of an element
	nameAttr string                               // the attribute that holds the name, in lower case

	at       map[string]int // by ID
	names    multi          // by folded name
	external multi          // by externalId
}

// newTable takes ownership of all.
func newTable[T any](all []T, nameAttr string, keys func(*T) (id, name, external string)) *table[T] {
	n := len(all)
	t := &table[T]{all: all, keys: keys, nameAttr: nameAttr,
		at: make(map[string]int, n), names: make(multi, n), external: make(multi, n)}
	positions := make([]int, n)
	for i := range all {
		id, name, external := keys(&all[i])
		positions[i] = i
		t.at[id] = i
		t.names.add(fold(name), positions[i:i+1:i+1])
		t.external.add(external, positions[i:i+1:i+1])
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
		t.unlink(i)
		t.all[i] = element
	} else {
		i = len(t.all)
		t.all = append(t.all, element)
	}
	t.at[id] = i
	t.names.add(fold(name), []int{i})
	t.external.add(external, []int{i})
}

// drop removes an element of the table.
func (t *table[T]) drop(id string) {
	i := t.at[id]
	t.unlink(i)
	var none T
	t.all[i] = none
}

// unlink removes an element from the lookups.
func (t *table[T]) unlink(i int) {
	id, name, external := t.keys(&t.all[i])
	delete(t.at, id)
	t.names.remove(fold(name), i)
	t.external.remove(external, i)
}

// search returns the positions of the elements that match a filter, or of all
// elements for nil. A required term that the table can look up narrows the search
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
	return slices.DeleteFunc(slices.Clone(from), func(i int) bool { return !match(t.all[i], f) })
}

// narrow looks up a term that every match of f satisfies.
func (t *table[T]) narrow(f *filter) (found []int, known bool) {
	switch f.op {
	case opEqual:
		return t.lookup(f)
	case opAnd:
		for _, arg := range f.args {
			if found, known = t.narrow(arg); known {
				return found, true
			}
		}
	}
	return nil, false
}

// lookup finds the elements that an eq term is true of, if the table can.
func (t *table[T]) lookup(term *filter) (found []int, known bool) {
	s, _ := term.value.(string)
	switch term.attr {
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

// multi maps a key to the positions of all elements that have it. An instance that
// was configured by hand may hold names that differ in case only.
type multi map[string][]int

// add adds a list of one position, which may be shared and is never changed.
func (m multi) add(key string, position []int) {
	if key == "" {
		return
	}
	if at, taken := m[key]; taken {
		position = append(at, position...)
	}
	m[key] = position
}

func (m multi) remove(key string, i int) {
	if len(m[key]) > 1 { // then the list is not shared: add made it
		m[key] = slices.DeleteFunc(m[key], func(o int) bool { return o == i })
	} else {
		delete(m, key)
	}
}

// fold returns the same key for two strings exactly if strings.EqualFold holds for
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
