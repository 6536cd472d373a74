package center

import (
	"cmp"
	"encoding/json"
	"slices"

	"github.com/meridian-saml/meridian/portal/internal/refusal"
)

// Assemble makes Data of records. Regions are in their order, other lists are sorted by key. If a
// key occurs twice, the later record counts. An error is an *Error. New checks the rest.
//
// Unknown principals of applications are dropped: an application is written in its own Region,
// which may not have heard of a removal yet.
func Assemble(records []Record) (Data, error) {
	var d Data
	if err := d.merge(records); err != nil {
		return Data{}, err
	}
	return d, nil
}

// merge applies records to d.
func (d *Data) merge(records []Record) error {
	byKind := map[Kind][]Record{}
	for _, r := range records {
		byKind[r.Kind] = append(byKind[r.Kind], r)
	}
	regions := placed(d.Regions)
	err := cmp.Or(
		merge(&regions, byKind),
		merge(&d.Users, byKind),
		merge(&d.Groups, byKind),
		merge(&d.PermissionSets, byKind),
		merge(&d.Accounts, byKind),
		merge(&d.Assignments, byKind),
		merge(&d.Applications, byKind),
	)
	for kind := range byKind {
		return &Error{Reason: ReasonInvalid, Rule: "kind of record", Want: "a kind of element", Got: string(kind)}
	}
	slices.SortStableFunc(regions, func(a, b placedRegion) int {
		return cmp.Or(cmp.Compare(a.Position, b.Position), cmp.Compare(a.Name, b.Name))
	})
	d.Regions = nil
	for _, r := range regions {
		d.Regions = append(d.Regions, r.Region)
	}
	d.dropDangling()
	return err
}

// dropDangling removes unknown principals from applications.
func (d *Data) dropDangling() {
	if !slices.ContainsFunc(d.Applications, func(a Application) bool { return len(a.AssignedTo) > 0 }) {
		return
	}
	known := make(map[Principal]bool, len(d.Users)+len(d.Groups))
	for _, u := range d.Users {
		known[UserPrincipal(cmp.Or(u.ID, u.UserName))] = true
	}
	for _, g := range d.Groups {
		known[GroupPrincipal(cmp.Or(g.ID, g.Name))] = true
	}
	for i := range d.Applications {
		a := &d.Applications[i]
		a.AssignedTo = slices.DeleteFunc(a.AssignedTo, func(p Principal) bool { return !known[p] })
	}
}

// merge applies the records of list's kind, and removes them from byKind. New elements come last,
// sorted by key.
func merge[T element](list *[]T, byKind map[Kind][]Record) error {
	var zero T
	changes := byKind[zero.kind()]
	delete(byKind, zero.kind())
	if len(changes) == 0 {
		return nil
	}
	next := make(map[string]*T, len(changes)) // nil: removed
	for _, r := range changes {
		v, err := decode[T](r)
		if err != nil {
			return err
		}
		next[r.Key] = v
	}
	out := make([]T, 0, len(*list)+len(next))
	for _, old := range *list {
		v, changed := next[old.key()]
		switch {
		case !changed:
			out = append(out, old)
		case v != nil:
			out = append(out, *v)
		}
		delete(next, old.key())
	}
	known := len(out)
	for _, v := range next {
		if v != nil {
			out = append(out, *v)
		}
	}
	slices.SortFunc(out[known:], func(a, b T) int { return cmp.Compare(a.key(), b.key()) })
	*list = out
	return nil
}

func decode[T element](r Record) (*T, error) {
	if r.Value == nil {
		return nil, nil
	}
	v := new(T)
	if err := json.Unmarshal(r.Value, v); err != nil {
		rule := "record of " + string(r.Kind) + " " + refusal.Quote(r.Key)
		return nil, &Error{Reason: ReasonInvalid, Rule: rule, Want: "JSON of its kind", Got: err.Error()}
	}
	if want := (*v).key(); want != r.Key {
		rule := "key of record of " + string(r.Kind)
		return nil, &Error{Reason: ReasonInvalid, Rule: rule, Want: refusal.Quote(want), Got: r.Key}
	}
	return v, nil
}
