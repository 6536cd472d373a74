package merge

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/meridian-saml/meridian/portal/center"
)

// Draft turns the outcome of an update made in a Region into that Region's
// records. The primary can't write other Regions' applications; where it took a
// principal from them, a record says that the principal is gone, which has the
// same effect.
func (d *Directory) Draft(region string, changes []center.Record) []Record {
	var out []Record
	gone := map[string]bool{}
	for _, c := range changes {
		k := Name{c.Kind, c.Key}
		if owner, _ := d.application(k); c.Kind == center.KindApplication && owner != "" && owner != region {
			for _, p := range removed(d.shown[k], c.Value) {
				gone[goneKey(p)] = true
			}
			continue
		}
		out = append(out, Record{Kind: c.Kind, Key: c.Key, Value: c.Value})
		switch {
		case c.Kind == center.KindUser && c.Value == nil:
			gone[goneKey(center.UserPrincipal(c.Key))] = true
		case c.Kind == center.KindGroup && c.Value == nil:
			gone[goneKey(center.GroupPrincipal(c.Key))] = true
		}
		if c.Kind == center.KindRegion && c.Value == nil {
			out = append(out, Record{Kind: KindRemoved, Key: c.Key})
		}
		if c.Kind == center.KindUser && active(d.shown[k]) && !active(c.Value) {
			out = append(out, Record{Kind: KindEnded, Key: c.Key})
		}
	}
	for _, key := range slices.Sorted(maps.Keys(gone)) {
		out = append(out, Record{Kind: KindGone, Key: key})
	}
	return out
}

func active(user []byte) bool {
	var u center.User
	return json.Unmarshal(user, &u) == nil && !u.Inactive
}

// removed returns the principals that an application lost.
func removed(before, after []byte) (out []center.Principal) {
	var a, b center.Application
	if json.Unmarshal(before, &b) != nil || json.Unmarshal(after, &a) != nil {
		return nil
	}
	there := map[center.Principal]bool{}
	for _, p := range a.AssignedTo {
		there[p] = true
	}
	for _, p := range b.AssignedTo {
		if !there[p] {
			out = append(out, p)
		}
	}
	return out
}

// Compose makes a Region's next transaction of these records, which it owns.
// The stamp is now, in microseconds, and more than any before. The first
// transaction of a log is full, so that whoever has an older log's state lets
// go of it. The caller writes it, and then folds it.
func (d *Directory) Compose(region string, now uint64, records []Record, full bool) Transaction {
	l := d.of(region)
	// What a Region wrote before it was removed is void, so one that is back
	// writes later than that.
	t := Transaction{Stamp: max(now, l.last+1, d.Standing(region).Removed+1), Full: full || !l.complete()}
	for i := range records {
		r := &records[i]
		switch r.Kind {
		case center.KindApplication:
			r.Base = t.Stamp
			if region != d.primary {
				r.Base = d.of(d.primary).last
			}
		case KindGone, KindEnded, KindRemoved:
			r.Value = fmt.Appendf(nil, "%d", t.Stamp)
		}
	}
	t.Records = records
	if t.Full {
		t.Records = replaced(l.all(), records)
	}
	return t
}

// replaced is all, with changes made.
func replaced(all, changes []Record) []Record {
	changed := map[Name]bool{}
	for _, r := range changes {
		changed[r.name()] = true
	}
	var out []Record
	for _, r := range all {
		if !changed[r.name()] {
			out = append(out, r)
		}
	}
	for _, r := range changes {
		if r.Value != nil {
			out = append(out, r)
		}
	}
	return out
}

// Took notes that the instance is about to show these changes, which were made
// here and touched these names. It returns the names of which the Directory
// comes to something else: where another Region's write came at the same moment,
// and applications that count since the list of Regions has changed. They are
// for Changes, next.
func (d *Directory) Took(touched []Name, changes []center.Record) (left []Name) {
	before := map[Name]json.RawMessage{}
	for _, k := range append(d.dependents(touched), touched...) {
		before[k] = d.shown[k]
	}
	made := map[Name]bool{}
	for _, c := range changes {
		made[Name{c.Kind, c.Key}] = true
	}
	for _, c := range d.Changes(touched) {
		if k := (Name{c.Kind, c.Key}); !made[k] {
			d.show(k, before[k])
			left = append(left, k)
		}
	}
	for _, c := range changes {
		k := Name{c.Kind, c.Key}
		if bytes.Equal(d.shown[k], c.Value) {
			continue
		}
		d.show(k, c.Value)
		left = append(left, k)
	}
	return left
}

// show notes what the instance shows of a name.
func (d *Directory) show(k Name, v json.RawMessage) {
	if v == nil {
		delete(d.shown, k)
	} else {
		d.shown[k] = v
	}
}
