package center

import (
	"bytes"
	"cmp"
	"encoding/json"
	"reflect"
	"slices"
)

// Kind is the kind of a Record's element. There is one for each list of Data.
type Kind string

// The kinds of record.
const (
	KindRegion           Kind = "region"
	KindIdentityProvider Kind = "identityProvider"
	KindUser             Kind = "user"
	KindGroup            Kind = "group"
	KindPermissionSet    Kind = "permissionSet"
	KindAccount          Kind = "account"
	KindAssignment       Kind = "assignment"
	KindApplication      Kind = "application"
)

// Record is one element of the instance as it is stored and sent. Two records are about the same element if Kind and
// Key are equal.
type Record struct {
	Kind Kind
	// Key is the ID of a user, group, account or application, the name of a Region or permission set, or the entity ID of
	// an identity provider. For an assignment it is the account's ID, the permission set's name, the principal's type and
	// its ID, joined by slashes. (Only the last of these can contain a slash.)
	Key string
	// Value is the element as JSON, a Region's with its position. Nil: the element was removed.
	Value []byte
}

// element is implemented by every element: the Kind and Key of its Record.
type element interface {
	kind() Kind
	key() string
}

func (Region) kind() Kind        { return KindRegion }
func (User) kind() Kind          { return KindUser }
func (Group) kind() Kind         { return KindGroup }
func (PermissionSet) kind() Kind { return KindPermissionSet }
func (Account) kind() Kind       { return KindAccount }
func (Assignment) kind() Kind    { return KindAssignment }
func (Application) kind() Kind   { return KindApplication }

func (r Region) key() string        { return r.Name }
func (u User) key() string          { return u.ID }
func (g Group) key() string         { return g.ID }
func (p PermissionSet) key() string { return p.Name }
func (a Account) key() string       { return a.ID }
func (a Application) key() string   { return a.ID }
func (a Assignment) key() string {
	return a.AccountID + "/" + a.PermissionSet + "/" + string(a.Principal.Type) + "/" + a.Principal.ID
}

// placedRegion is a Region with its position, which is part of its state: the first Region is the primary.
type placedRegion struct {
	Position int `json:"position"`
	Region
}

func placed(list []Region) []placedRegion {
	out := make([]placedRegion, len(list))
	for i, r := range list {
		out[i] = placedRegion{i, r}
	}
	return out
}

// Records returns the whole instance, sorted by Kind and then Key. Two instances with the same records are equal.
func (s *Snapshot) Records() []Record { return Diff(&Snapshot{}, s) }

// Diff returns the changes from one snapshot to another, sorted by Kind and then Key. Only Regions have an order.
func Diff(before, after *Snapshot) []Record {
	b, a := &before.data, &after.data
	out := slices.Concat(
		diff(placed(b.Regions), placed(a.Regions), deepEqual),
		diff(b.IdentityProviders, a.IdentityProviders, equal),
		diff(b.Users, a.Users, equal),
		diff(b.Groups, a.Groups, deepEqual),
		diff(b.PermissionSets, a.PermissionSets, equal),
		diff(b.Accounts, a.Accounts, equal),
		diff(b.Assignments, a.Assignments, equal),
		diff(b.Applications, a.Applications, deepEqual),
	)
	slices.SortFunc(out, func(x, y Record) int {
		return cmp.Or(cmp.Compare(x.Kind, y.Kind), cmp.Compare(x.Key, y.Key))
	})
	return out
}

func equal[T comparable](x, y T) bool { return x == y }

// deepEqual compares elements with lists. It allocates memory; equal doesn't.
func deepEqual[T any](x, y T) bool { return reflect.DeepEqual(x, y) }

// diff returns the changes of one list. Nearly all elements are unchanged at the same index, and cost one comparison.
func diff[T element](before, after []T, same func(x, y T) bool) []Record {
	var out []Record
	unchanged := make([]bool, len(after))
	old := map[string]int{} // into before
	for i, x := range before {
		if i < len(after) && same(x, after[i]) {
			unchanged[i] = true
		} else {
			old[x.key()] = i
		}
	}
	for i, y := range after {
		if unchanged[i] {
			continue
		}
		at, existed := old[y.key()]
		delete(old, y.key())
		if existed && same(before[at], y) {
			continue // only its index has changed
		}
		// Compared as JSON, a nil list equals an empty one.
		if v := encode(y); !existed || !bytes.Equal(v, encode(before[at])) {
			out = append(out, Record{y.kind(), y.key(), v})
		}
	}
	for k, at := range old {
		out = append(out, Record{before[at].kind(), k, nil})
	}
	return out
}

// encode can't fail: elements hold strings, slices, numbers and a bool.
func encode(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return b
}

// Assemble returns the Data that consists of records. Regions are in their order, other lists are sorted by key. If two
// records have the same Kind and Key, the later one counts. It returns an *Error for a record that it can't decode. New
// checks the rest.
//
// Unknown principals of applications are dropped: an application is written in its own Region, before a removal in the
// primary may have arrived there.
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
		merge(&d.IdentityProviders, byKind),
		merge(&d.Users, byKind),
		merge(&d.Groups, byKind),
		merge(&d.PermissionSets, byKind),
		merge(&d.Accounts, byKind),
		merge(&d.Assignments, byKind),
		merge(&d.Applications, byKind),
	)
	for kind := range byKind {
		return &Error{Reason: ReasonInvalid, Rule: "kind of record", Want: "a known Kind", Got: string(kind)}
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

// merge applies the records of list's kind, and removes them from byKind. New elements come last, sorted by key.
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
		rule := "record of " + string(r.Kind) + " " + quote(r.Key)
		return nil, &Error{Reason: ReasonInvalid, Rule: rule, Want: "JSON of its kind", Got: err.Error()}
	}
	if want := (*v).key(); want != r.Key {
		rule := "key of record of " + string(r.Kind)
		return nil, &Error{Reason: ReasonInvalid, Rule: rule, Want: quote(want), Got: r.Key}
	}
	return v, nil
}
