package center

import (
	"bytes"
	"cmp"
	"reflect"
	"slices"
)

// Records returns the whole instance, sorted by Kind and then Key. Two instances with the same records are equal.
func (s *Snapshot) Records() []Record { return Diff(&Snapshot{}, s) }

// Diff returns the changes from one snapshot to another, sorted by Kind and then Key. Only Regions have an order.
// Elements that the two share cost one comparison of pointers.
func Diff(before, after *Snapshot) []Record {
	return inOrder(
		diffLists(before.metadataList(), after.metadataList(), equal),
		diffLists(placed(before.regionList), placed(after.regionList), deepEqual),
		diffLists(before.providerList, after.providerList, equal),
		diffTables(&before.users, &after.users, equal),
		diffTables(&before.groups, &after.groups, deepEqual),
		diffTables(&before.sets, &after.sets, deepEqual),
		diffTables(&before.accounts, &after.accounts, equal),
		diffTables(&before.assignments, &after.assignments, equal),
		diffTables(&before.applications, &after.applications, deepEqual),
		diffTables(&before.federations, &after.federations, deepEqual),
		diffTables(&before.parked, &after.parked, deepEqual),
		diffTables(&before.residency, &after.residency, deepEqual),
		diffTables(&before.rotations, &after.rotations, equal),
	)
}

func inOrder(lists ...[]Record) []Record {
	out := slices.Concat(lists...)
	slices.SortFunc(out, func(x, y Record) int {
		return cmp.Or(cmp.Compare(x.Kind, y.Kind), cmp.Compare(x.Key, y.Key))
	})
	return out
}

func equal[T comparable](x, y T) bool { return x == y }

// deepEqual compares elements with lists. It allocates memory; equal doesn't.
func deepEqual[T any](x, y T) bool { return reflect.DeepEqual(x, y) }

// difference appends the change from an element to its successor, and of its details. Either may be nil.
func difference[T element](out []Record, old, next *T, same func(x, y T) bool) []Record {
	var v T
	var was, is struct{ core, details []byte }
	switch {
	case old == next: // also if both are nil
		return out
	case old != nil && next != nil && same(*old, *next):
		return out
	}
	if old != nil {
		v, was.core, was.details = *old, coreOf(*old), detailsOf(*old)
	}
	if next != nil {
		v, is.core, is.details = *next, coreOf(*next), detailsOf(*next)
	}
	// Compared as JSON, a nil list equals an empty one.
	if !bytes.Equal(was.core, is.core) {
		out = append(out, Record{v.kind(), v.key(), is.core})
	}
	if !bytes.Equal(was.details, is.details) {
		out = append(out, Record{KindDetails, detailsKey(v.kind(), v.key()), is.details})
	}
	return out
}

// diffTables returns the changes of one table. It reads both in order.
func diffTables[T element](before, after *table[T], same func(x, y T) bool) (out []Record) {
	add := func(old, next *T) { out = difference(out, old, next, same) }
	olds := slices.Collect(before.all())
	for next := range after.all() {
		for len(olds) > 0 && (*olds[0]).key() < (*next).key() {
			add(olds[0], nil)
			olds = olds[1:]
		}
		if len(olds) > 0 && (*olds[0]).key() == (*next).key() {
			add(olds[0], next)
			olds = olds[1:]
		} else {
			add(nil, next)
		}
	}
	for _, old := range olds {
		add(old, nil)
	}
	return out
}

// diffLists returns the changes of a short list.
func diffLists[T element](before, after []T, same func(x, y T) bool) (out []Record) {
	old := make(map[string]*T, len(before))
	for i := range before {
		old[before[i].key()] = &before[i]
	}
	for i := range after {
		key := after[i].key()
		out = difference(out, old[key], &after[i], same)
		delete(old, key)
	}
	for _, gone := range old {
		out = difference(out, gone, nil, same)
	}
	return out
}
