package merge

import (
	"encoding/json"
	"maps"
	"slices"

	"github.com/meridian-saml/meridian/portal/center"
)

// A cell is the last that its owner said about a name.
type cell struct {
	stamp  uint64
	base   uint64
	value  json.RawMessage // nil: gone
	to     []string        // whom an application is assigned to: their goneKey
	region *center.Region  // of a Region's entry: what it says
	// optional: see Record
	optional bool
}

// A regionLog is what one Region wrote. It is the same whatever the order in
// which its transactions come, and however often: the highest stamp counts,
// name by name, and a full transaction removes what is older and not in it.
type regionLog struct {
	cells map[Name]cell
	floor uint64 // the stamp of the last full transaction
	last  uint64 // the highest stamp
	// void is the stamp of the Region's removal. What the Region wrote up to then
	// doesn't count, also in a later whole state that says it again. It is kept: a
	// primary that is put back to an older state may not know of the removal.
	void uint64

	knows   func(center.Kind) bool
	strange map[Name]struct{} // in cells, not known, and not to be skipped
	missed  string            // a message that can't be read and that nothing has replaced; "": none
	follows uint64            // the stamp of what stands before that message, or before a later one
	read    uint64            // the stamp of what was read last, in the order of the log
	doubted bool              // see Doubt
}

// cell is what counts about a name. Zero: nothing.
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
	if t.Stamp < l.floor {
		return nil
	}
	touched := map[Name]bool{}
	if t.Full {
		if l.floor = t.Stamp; t.Stamp > l.follows {
			l.missed, l.follows = "", 0
		}
		maps.DeleteFunc(l.cells, func(k Name, c cell) bool {
			old := c.stamp <= t.Stamp
			touched[k] = touched[k] || old
			if old {
				delete(l.strange, k)
			}
			return old
		})
	}
	for _, r := range t.Records {
		k, c := r.name(), cell{stamp: r.writtenIn(t), base: r.Base, value: r.Value, optional: r.Optional}
		if old, ok := l.cells[k]; !ok || c.stamp >= old.stamp {
			c.to, c.region = assignedTo(r), entryIn(r)
			l.cells[k] = c
			l.note(k, c)
			touched[k] = true
		}
	}
	return slices.Collect(maps.Keys(touched))
}

// all is a full transaction's records: what the log holds.
func (l *regionLog) all() []Record {
	out := make([]Record, 0, len(l.cells))
	for k, c := range l.cells {
		if c.value != nil && c.stamp > l.void {
			out = append(out, Record{k.Kind, k.Key, c.value, c.stamp, c.base, c.optional})
		}
	}
	return sorted(out)
}

// entryIn is what a Region's entry says. Nil: the record is none that can be read.
func entryIn(r Record) *center.Region {
	var entry center.Region
	if r.Kind != center.KindRegion || json.Unmarshal(r.Value, &entry) != nil {
		return nil
	}
	return &entry
}

// assignedTo is whom an application is assigned to, each by its goneKey.
func assignedTo(r Record) (out []string) {
	var a center.Application
	if r.Kind != center.KindApplication || r.Value == nil || json.Unmarshal(r.Value, &a) != nil {
		return nil
	}
	for _, p := range a.AssignedTo {
		out = append(out, goneKey(p))
	}
	return out
}
