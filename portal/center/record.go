package center

import (
	"bytes"
	"cmp"
	"encoding/json"
	"reflect"
	"slices"
)

// Kind says which of Data's lists a Record's element is in.
type Kind string

// The kinds of record.
const (
	KindRegion        Kind = "region"
	KindUser          Kind = "user"
	KindGroup         Kind = "group"
	KindPermissionSet Kind = "permissionSet"
	KindAccount       Kind = "account"
	KindAssignment    Kind = "assignment"
	KindApplication   Kind = "application"
)

// Record is one element of the instance as it is stored and sent. Two records are about the same
// element if Kind and Key are equal.
type Record struct {
	Kind Kind
	// Key is the ID of a user, group, account or application, or the name of a Region or permission
	// set. For an assignment it is the account's ID, the permission set's name, the principal's
	// type and its ID, joined by slashes. (Only the last of these can contain a slash.)
	Key string
	// Value is the element as JSON, a Region's with its position. Nil: the element was removed.
	Value []byte
}

// element is what all elements have in common: their Record's Kind and Key.
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

// placedRegion is a Region with its position, which is part of its state: the first Region is the
// primary.
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

// Records returns the whole instance, sorted by Kind and then Key. Two instances with the same
// records are equal.
func (s *Snapshot) Records() []Record { return Diff(&Snapshot{}, s) }

// Diff returns the changes from one snapshot to another, sorted by Kind and then Key. Only Regions
// have an order.
func Diff(before, after *Snapshot) []Record {
	b, a := &before.data, &after.data
	out := slices.Concat(
		diff(placed(b.Regions), placed(a.Regions), deepEqual),
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

// deepEqual is for elements with lists. It costs allocations, equal doesn't.
func deepEqual[T any](x, y T) bool { return reflect.DeepEqual(x, y) }

// diff returns the changes of one list. Elements that are unchanged at the same index, which is
// nearly all of them, cost one comparison.
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
