package center

import (
	"bytes"
	"cmp"
	"encoding/json"
	"reflect"
	"slices"
)

// A Kind says which of Data's lists a Record's element is in.
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

// A Record is one element of the instance, in the form in which it travels
// and is kept. Two records are about the same element if Kind and Key are
// equal.
type Record struct {
	Kind Kind
	// Key is the ID of a user, group, account or application, the name of a
	// Region or permission set, and for an assignment the account's ID, the
	// permission set's name, the principal's type and its ID with slashes
	// between them. (Only the last of these can hold a slash itself.)
	Key string
	// Value is the element as JSON, a Region's with its position. Nil: the
	// element is gone.
	Value []byte
}

// A placedRegion is a Region with its place in the order, which for Regions
// is part of what they are: the first one is the primary.
type placedRegion struct {
	Position int `json:"position"`
	Region
}

func assignmentKey(a Assignment) string {
	return a.AccountID + "/" + a.PermissionSet + "/" + string(a.Principal.Type) + "/" + a.Principal.ID
}

func regionKey(r placedRegion) string         { return r.Name }
func userKey(u User) string                   { return u.ID }
func groupKey(g Group) string                 { return g.ID }
func permissionSetKey(p PermissionSet) string { return p.Name }
func accountKey(a Account) string             { return a.ID }
func applicationKey(a Application) string     { return a.ID }

func placed(list []Region) []placedRegion {
	out := make([]placedRegion, len(list))
	for i, r := range list {
		out[i] = placedRegion{i, r}
	}
	return out
}

// Records returns the whole instance, sorted by Kind and then Key. Two
// instances with the same records are the same instance.
func (s *Snapshot) Records() []Record { return Diff(&Snapshot{}, s) }

// Diff returns what turns one snapshot into the other, sorted by Kind and then
// Key. The order of elements counts for Regions alone.
func Diff(before, after *Snapshot) []Record {
	b, a := &before.data, &after.data
	out := diff(nil, KindRegion, placed(b.Regions), placed(a.Regions), regionKey, deepEqual)
	out = diff(out, KindUser, b.Users, a.Users, userKey, equal)
	out = diff(out, KindGroup, b.Groups, a.Groups, groupKey, deepEqual)
	out = diff(out, KindPermissionSet, b.PermissionSets, a.PermissionSets, permissionSetKey, equal)
	out = diff(out, KindAccount, b.Accounts, a.Accounts, accountKey, equal)
	out = diff(out, KindAssignment, b.Assignments, a.Assignments, assignmentKey, equal)
	out = diff(out, KindApplication, b.Applications, a.Applications, applicationKey, deepEqual)
	slices.SortFunc(out, func(x, y Record) int { return cmp.Or(cmp.Compare(x.Kind, y.Kind), cmp.Compare(x.Key, y.Key)) })
	return out
}

func equal[T comparable](x, y T) bool { return x == y }

// deepEqual is for elements with lists in them. It reads fields that are added
// later by itself.
func deepEqual[T any](x, y T) bool { return reflect.DeepEqual(x, y) }

// diff appends the records of one kind. Elements that stand where they stood
// and are what they were, which is nearly all of them, cost one comparison.
func diff[T any](out []Record, kind Kind, before, after []T, key func(T) string, same func(x, y T) bool) []Record {
	unchanged := make([]bool, max(len(before), len(after)))
	old := map[string]int{} // into before
	for i, x := range before {
		if i < len(after) && same(x, after[i]) {
			unchanged[i] = true
		} else {
			old[key(x)] = i
		}
	}
	for i, y := range after {
		if unchanged[i] {
			continue
		}
		at, was := old[key(y)]
		delete(old, key(y))
		if was && same(before[at], y) {
			continue // it only moved up, as all do behind one that was removed
		}
		// A nil list and an empty one differ in memory alone.
		if v := encode(y); !was || !bytes.Equal(v, encode(before[at])) {
			out = append(out, Record{kind, key(y), v})
		}
	}
	for k := range old {
		out = append(out, Record{kind, k, nil})
	}
	return out
}

// encode can't fail: the types are strings, slices, numbers and a bool, and
// PermissionSet's own MarshalJSON adds no error.
func encode(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return b
}
