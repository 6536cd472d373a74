package merge

import (
	"encoding/json"
	"slices"

	"github.com/meridian-saml/meridian/portal/center"
)

// A Piece is what one place has left of a Region's log, with its transactions in any
// order. Store names the log: a Region that lost its disk, or whose operator replaced
// what it had, began another one.
type Piece struct {
	Store string
	Log   []Transaction
}

// Reunite puts together what several places have left of one Region's log. It returns
// the records of the resulting whole state, the highest stamp of all, and whether
// there was a whole state to begin with.
//
// Where two places have gone on apart, as after an older copy was put back or a disk was
// lost, a whole state of one doesn't know what the other ended. So:
//
//   - Of each mark that ends something, the highest counts.
//   - The last explicit word about a name counts even if an older word is in a later
//     whole state. What was only added stays lost, except for records of an unknown
//     kind that may end access.
//   - What is said of a user, a group or a Region counts only where the highest mark
//     about it was known. Otherwise the user is disabled, the group is empty and the
//     Region isn't listed, until an administrator says otherwise.
//
// Of the pieces beside, only the marks count: those logs began without knowing the ends.
func Reunite(primary, region string, pieces, beside []Piece) (records []Record, last uint64, whole bool) {
	all, marks, newest := NewDirectory(primary), map[Name]Record{}, map[Name]Record{}
	for i, p := range slices.Concat(pieces, beside) {
		for _, t := range p.Log {
			last = max(last, t.Stamp)
			if i < len(pieces) {
				all.Fold(region, t)
			}
			for _, r := range t.Records {
				r.By, r.Stamp = r.ByIn(t), r.WrittenIn(t)
				if !all.may(region, r) {
					continue
				}
				mark, marked := marks[r.name()]
				if ends(r.Kind) && r.Value != nil && (!marked || stampIn(r.Value) > stampIn(mark.Value)) {
					marks[r.name()] = r
				}
				if i < len(pieces) && r.Stamp >= newest[r.name()].Stamp {
					newest[r.name()] = r
				}
			}
		}
	}
	known, there := historiesOf(primary, region, pieces), map[Name]bool{}
	for _, r := range all.of(region).all() {
		there[r.name()] = true
		if n := newest[r.name()]; n.Stamp > r.Stamp {
			r = n
		}
		if r = known.restrain(r, marks); r.Value != nil && !ends(r.Kind) {
			records = append(records, r)
		}
	}
	for _, r := range marks {
		records = append(records, r)
	}
	for k, r := range newest {
		if !there[k] && r.Value != nil && !all.knows(k.Kind) && !r.Optional {
			records = append(records, r)
		}
	}
	return settled(records), last, all.Complete(region)
}

// settled leaves out references to what doesn't exist: its end was heard of in one
// place, and the referring element was changed in another. It leaves out members of a
// group who belong to another identity provider. Records come out sorted.
func settled(records []Record) (out []Record) {
	there, providers, lists := map[Name]bool{}, map[string]string{}, listsProviders(records)
	for _, r := range records {
		if there[r.name()] = true; lists && r.Kind == center.KindUser {
			providers[r.Key] = providerOf(r.Value)
		}
	}
	for _, r := range records {
		switch r.Kind {
		case center.KindGroup:
			of := providerOf(r.Value)
			r.Value = edited(r.Value, "members", func(members []string) []string {
				return slices.DeleteFunc(members, func(id string) bool {
					return !there[Name{center.KindUser, id}] || lists && providers[id] != of
				})
			})
		case center.KindAssignment:
			var a center.Assignment
			who := center.KindUser
			if json.Unmarshal(r.Value, &a) == nil && a.Principal.Type == center.PrincipalGroup {
				who = center.KindGroup
			}
			if !there[Name{who, a.Principal.ID}] || !there[Name{center.KindAccount, a.AccountID}] ||
				!there[Name{center.KindPermissionSet, a.PermissionSet}] {
				continue
			}
		}
		out = append(out, r)
	}
	return sorted(out)
}

// edited changes one field of an element and leaves the others as they are, including
// those that this version doesn't know.
func edited[T any](value json.RawMessage, field string, change func(T) T) json.RawMessage {
	var fields map[string]json.RawMessage
	var old T
	if json.Unmarshal(value, &fields) != nil || len(fields[field]) > 0 && json.Unmarshal(fields[field], &old) != nil {
		return value
	}
	before, err := json.Marshal(old)
	now, err2 := json.Marshal(change(old))
	if err != nil || err2 != nil || string(now) == string(before) {
		return value
	}
	if fields[field] = now; string(now) == "null" {
		delete(fields, field)
	}
	out, err := json.Marshal(fields)
	if err != nil {
		return value
	}
	return out
}
