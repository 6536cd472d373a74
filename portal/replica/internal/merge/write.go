package merge

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/meridian-saml/meridian/portal/center"
)

// Draft makes the records of a Region of an update that was made there. The primary
// can't write other Regions' applications: where it removed a principal from one, a
// record says that the principal is gone, which has the same effect.
func (d *Directory) Draft(region string, changes []center.Record) (out []Record) {
	gone, written := map[string]bool{}, map[Name]bool{}
	for _, c := range changes {
		written[Name{c.Kind, c.Key}] = true
	}
	for _, c := range changes {
		k, removed := Name{c.Kind, c.Key}, c.Value == nil
		if c.Kind == center.KindRotation && c.Key != region { // each Region writes its own
			continue
		}
		if owner, _ := d.application(k); c.Kind == center.KindApplication && owner != "" && owner != region {
			left := assignedTo(Record{Kind: c.Kind, Value: c.Value})
			for _, p := range assignedTo(Record{Kind: c.Kind, Value: d.shown[k]}) {
				if !removed && !slices.Contains(left, p) {
					gone[p] = true
				}
			}
			continue
		}
		out = append(out, Record{Kind: c.Kind, Key: c.Key, Value: c.Value, Optional: c.Kind.Optional()})
		if !written[details(k)] {
			out = append(out, d.leftBehind(k)...)
		}
		switch {
		case c.Kind == center.KindUser && removed:
			gone[goneKey(center.UserPrincipal(c.Key))] = true
		case c.Kind == center.KindGroup && removed:
			gone[goneKey(center.GroupPrincipal(c.Key))] = true
		case c.Kind == center.KindRegion && removed:
			out = append(out, Record{Kind: KindRemoved, Key: c.Key})
		}
		if c.Kind == center.KindUser && (active(d.shown[k]) && !active(c.Value) || moved(d.shown[k], c.Value)) {
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

// moved says whether a user belonged to an identity provider and now belongs to another
// one, so that what the first one vouched for is over.
func moved(before, after []byte) bool {
	was := providerOf(before)
	return was != "" && after != nil && providerOf(after) != was
}

// providerOf returns the identity provider of a user or a group, or "".
func providerOf(value []byte) string {
	var v struct{ IdentityProvider string }
	if json.Unmarshal(value, &v) != nil {
		return ""
	}
	return v.IdentityProvider
}

// Compose makes a Region's next transaction of these records, which it owns. The
// stamp is now, in microseconds, and more than any before. The first transaction of
// a log is full, so that Regions with the state of an older log drop it. The caller
// writes the transaction, and then folds it.
func (d *Directory) Compose(region string, now uint64, records []Record, full bool) Transaction {
	l := d.of(region)
	// What a Region wrote before it was removed is void, so one that was added again
	// writes later than that.
	t := Transaction{Stamp: max(now, l.last+1, d.Standing(region).Removed+1), Full: full || !l.complete()}
	changed := map[Name]bool{}
	for i := range records {
		r := &records[i]
		changed[r.name()] = true
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
		old := slices.DeleteFunc(l.all(), func(r Record) bool {
			return changed[r.name()] || r.Kind == center.KindDetails && d.orphaned(r.name())
		})
		t.Records = append(old, slices.DeleteFunc(slices.Clone(records), func(r Record) bool { return r.Value == nil })...)
	}
	return t
}

// Whole returns the present state of a Region's log as a full transaction, which was never written to it.
func (d *Directory) Whole(region string) Transaction {
	l := d.of(region)
	return Transaction{Stamp: l.last, Full: true, Records: slices.DeleteFunc(l.all(), func(r Record) bool {
		return r.Kind == center.KindDetails && d.orphaned(r.name())
	})}
}

// Took notes that the instance is about to show these changes, which were made here
// and touched these names. It returns the names whose result is another one: another
// Region wrote at the same moment, or the list of Regions changed which applications
// count. They are for Changes, next.
func (d *Directory) Took(touched []Name, changes []center.Record) (left []Name) {
	before, made := map[Name]json.RawMessage{}, map[Name]bool{}
	for _, k := range append(d.dependents(touched), touched...) {
		before[k] = d.shown[k]
	}
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
		if k := (Name{c.Kind, c.Key}); !bytes.Equal(d.shown[k], c.Value) {
			d.show(k, c.Value)
			left = append(left, k)
		}
	}
	return left
}

// Ahead says whether a Region's changes assign an application to a principal whose
// removal was taken in by FoldEarly and not yet by Fold. The assignment would be
// void, like one that is made before the removal is known: see Record.Base.
func (d *Directory) Ahead(region string, changes []center.Record) bool {
	return region != d.primary && slices.ContainsFunc(changes, func(c center.Record) bool {
		return slices.ContainsFunc(assignedTo(Record{Kind: c.Kind, Value: c.Value}), func(p string) bool {
			return d.number(d.primary, KindGone, p) > d.of(d.primary).last
		})
	})
}
