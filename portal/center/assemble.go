package center

import (
	"cmp"
	"encoding/json"
	"slices"
)

// Assemble makes Data of records. Regions get their order back; other lists
// are sorted by key. Where a key comes twice, the later record counts.
//
// Principals of applications that aren't there are left out: an application
// is written in its own Region, which may not have heard of a removal yet.
// All else is for New to check. A refusal is an *Error.
func Assemble(records []Record) (Data, error) {
	var d Data
	if err := d.merge(records); err != nil {
		return Data{}, err
	}
	return d, nil
}

// merge changes d, which the caller owns, as the records say.
func (d *Data) merge(records []Record) error {
	byKind := map[Kind][]Record{}
	for _, r := range records {
		switch r.Kind {
		case KindRegion, KindUser, KindGroup, KindPermissionSet, KindAccount, KindAssignment, KindApplication:
			byKind[r.Kind] = append(byKind[r.Kind], r)
		default:
			return &Error{Reason: ReasonInvalid, Rule: "kind of record", Want: "a kind of element", Got: string(r.Kind)}
		}
	}
	if err := d.mergeRegions(byKind[KindRegion]); err != nil {
		return err
	}
	var errs [6]error
	d.Users, errs[0] = merge(d.Users, byKind[KindUser], userKey)
	d.Groups, errs[1] = merge(d.Groups, byKind[KindGroup], groupKey)
	d.PermissionSets, errs[2] = merge(d.PermissionSets, byKind[KindPermissionSet], permissionSetKey)
	d.Accounts, errs[3] = merge(d.Accounts, byKind[KindAccount], accountKey)
	d.Assignments, errs[4] = merge(d.Assignments, byKind[KindAssignment], assignmentKey)
	d.Applications, errs[5] = merge(d.Applications, byKind[KindApplication], applicationKey)
	d.dropDangling()
	return cmp.Or(errs[:]...) // the first
}

func (d *Data) mergeRegions(records []Record) error {
	list, err := merge(placed(d.Regions), records, regionKey)
	if err != nil {
		return err
	}
	slices.SortStableFunc(list, func(a, b placedRegion) int {
		return cmp.Or(cmp.Compare(a.Position, b.Position), cmp.Compare(a.Name, b.Name))
	})
	d.Regions = nil
	for _, r := range list {
		d.Regions = append(d.Regions, r.Region)
	}
	return nil
}

// dropDangling takes principals that aren't there from applications.
func (d *Data) dropDangling() {
	if !slices.ContainsFunc(d.Applications, func(a Application) bool { return len(a.AssignedTo) > 0 }) {
		return
	}
	there := make(map[Principal]bool, len(d.Users)+len(d.Groups))
	for _, u := range d.Users {
		there[UserPrincipal(cmp.Or(u.ID, u.UserName))] = true
	}
	for _, g := range d.Groups {
		there[GroupPrincipal(cmp.Or(g.ID, g.Name))] = true
	}
	for i := range d.Applications {
		a := &d.Applications[i]
		a.AssignedTo = slices.DeleteFunc(a.AssignedTo, func(p Principal) bool { return !there[p] })
	}
}

// merge returns list with the changes made. What is new comes last, by key.
func merge[T any](list []T, changes []Record, key func(T) string) ([]T, error) {
	if len(changes) == 0 {
		return list, nil
	}
	next := make(map[string]*T, len(changes)) // nil: gone
	for _, r := range changes {
		v, err := decode(r, key)
		if err != nil {
			return nil, err
		}
		next[r.Key] = v
	}
	out := make([]T, 0, len(list)+len(next))
	for _, old := range list {
		k := key(old)
		v, changed := next[k]
		switch {
		case !changed:
			out = append(out, old)
		case v != nil:
			out = append(out, *v)
		}
		delete(next, k)
	}
	known := len(out)
	for _, v := range next {
		if v != nil {
			out = append(out, *v)
		}
	}
	slices.SortFunc(out[known:], func(a, b T) int { return cmp.Compare(key(a), key(b)) })
	return out, nil
}

func decode[T any](r Record, key func(T) string) (*T, error) {
	if r.Value == nil {
		return nil, nil
	}
	v := new(T)
	if err := json.Unmarshal(r.Value, v); err != nil {
		return nil, &Error{Reason: ReasonInvalid, Rule: "record of " + string(r.Kind) + " " + quote(r.Key), Want: "JSON of its kind", Got: err.Error()}
	}
	if key(*v) != r.Key {
		return nil, &Error{Reason: ReasonInvalid, Rule: "key of record of " + string(r.Kind), Want: quote(key(*v)), Got: r.Key}
	}
	return v, nil
}
