package merge

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"

	"github.com/meridian-saml/meridian/portal/center"
)

// A cell is the last word of its owner about a name.
type cell struct {
	stamp    uint64
	base     uint64
	value    json.RawMessage // nil: removed
	to       []string        // of an application: to whom it is assigned, by goneKey
	region   *center.Region  // of a Region's entry
	optional bool
	by       *center.Actor // who wrote it; nil: the Region itself
	full     uint64        // how many whole states had been folded when it was put or repeated
}

// same says whether two cells say the same.
func (c cell) same(o cell) bool {
	return c.stamp == o.stamp && c.base == o.base && c.optional == o.optional &&
		(c.value == nil) == (o.value == nil) && bytes.Equal(c.value, o.value)
}

// A regionLog is what one Region wrote. It doesn't depend on the order in which its
// transactions come, or how often: for each name the highest stamp counts, and a
// full transaction removes what is older and not in it.
type regionLog struct {
	cells map[Name]cell
	apps  applications // in cells
	floor uint64       // the stamp of the last full transaction
	last  uint64       // the highest stamp
	fulls uint64       // how many whole states were folded
	read  uint64       // the stamp of the transaction that was read last, in the order of the log
	// void is the stamp of the Region's removal. What the Region wrote up to then
	// doesn't count, not even in a later whole state that repeats it. It is kept: a
	// primary that is put back to an older state may not know of the removal.
	void uint64

	knows   func(center.Kind) bool
	strange map[Name]struct{} // in cells, of an unknown kind, and not optional
	missed  string            // a message that can't be read and that nothing has replaced; "": none
	follows uint64            // the stamp of what precedes that message, or a later one
	doubted bool              // see Doubt
	changed bool              // by the last fold
}

// cell returns what counts about a name. Zero: nothing.
func (l *regionLog) cell(k Name) cell {
	if c := l.cells[k]; c.stamp > l.void {
		return c
	}
	return cell{}
}

// complete says whether there is a whole state that counts.
func (l *regionLog) complete() bool { return l.floor > l.void }

// fold takes a transaction in and returns the names that it touched.
func (l *regionLog) fold(t Transaction) []Name {
	l.read, l.last = t.Stamp, max(l.last, t.Stamp) // also where a later whole state was heard early
	if l.changed = false; t.Stamp < l.floor {
		return nil
	}
	if t.Full {
		if l.floor = t.Stamp; t.Stamp > l.follows {
			l.missed, l.follows = "", 0
		}
		l.fulls++
	}
	touched, by := map[Name]bool{}, map[center.Actor]*center.Actor{}
	for _, r := range t.Records {
		if k := r.name(); l.put(k, r, t, shared(by, r.ByIn(t))) {
			touched[k] = true
		}
	}
	if t.Full { // what is older and not in it is gone
		maps.DeleteFunc(l.cells, func(k Name, c cell) bool {
			gone := c.stamp <= t.Stamp && c.full != l.fulls
			if gone {
				touched[k] = true
				delete(l.strange, k)
				l.apps.remove(k, c)
			}
			return gone
		})
	}
	l.changed = len(touched) > 0
	return slices.Collect(maps.Keys(touched))
}

// put takes a record of a transaction in, and says whether that made a difference. A
// whole state mostly repeats what is there: it keeps what is there, and touches nothing.
func (l *regionLog) put(k Name, r Record, t Transaction, by *center.Actor) (changed bool) {
	old, known := l.cells[k]
	c := cell{stamp: r.WrittenIn(t), base: r.Base, value: r.Value, optional: r.Optional, by: by, full: l.fulls}
	replaced := t.Full && old.stamp <= t.Stamp && old.full != l.fulls
	switch {
	case known && c.same(old):
		old.full = l.fulls
		l.cells[k] = old
		return false
	case c.stamp < old.stamp && !replaced:
		return false
	}
	c.to, c.region = assignedTo(r), entryIn(r)
	l.cells[k] = c
	l.apps.remove(k, old)
	l.apps.add(k, c)
	delete(l.strange, k)
	if r.Value != nil && !r.Optional && !l.knows(k.Kind) {
		l.strange[k] = struct{}{}
	}
	return true
}

// shared returns an actor, cut, as one value for all records of a transaction.
func shared(all map[center.Actor]*center.Actor, by *center.Actor) *center.Actor {
	if by == nil {
		return nil
	}
	a := by.Cut()
	if all[a] == nil {
		all[a] = &a
	}
	return all[a]
}

// all returns a full transaction's records: what the log holds.
func (l *regionLog) all() []Record {
	out := make([]Record, 0, len(l.cells))
	for k, c := range l.cells {
		if c.value != nil && c.stamp > l.void {
			out = append(out, Record{k.Kind, k.Key, c.value, c.stamp, c.base, c.optional, c.by})
		}
	}
	return sorted(out)
}

// entryIn returns a Region's entry in a record, or nil.
func entryIn(r Record) *center.Region {
	var entry center.Region
	if r.Kind != center.KindRegion || json.Unmarshal(r.Value, &entry) != nil {
		return nil
	}
	return &entry
}

// assignedTo returns to whom an application is assigned, each by goneKey.
func assignedTo(r Record) (out []string) {
	var a center.Application
	if r.Kind != center.KindApplication || json.Unmarshal(r.Value, &a) != nil {
		return nil
	}
	for _, p := range a.AssignedTo {
		out = append(out, goneKey(p))
	}
	return out
}
