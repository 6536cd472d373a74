package center

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"
)

// A version from before an element had some field would drop the field, and its Regions would seem to differ from
// those of this version. So the fields that format 1 didn't have are records of their own: of KindDetails, one for each
// element that has any. An older version passes such a record on without understanding it, also when it changes the
// element itself.

// detailed is implemented by elements that have such fields.
type detailed[T any] interface {
	element
	core() T                    // without the fields
	details() any               // the fields, for JSON
	detailsFrom(old T) T        // with the fields of another element
	withDetails(value []byte) T // with these fields; nil: none
}

// detailsKey is the key of the Record of an element's fields.
func detailsKey(k Kind, key string) string { return string(k) + " " + key }

// detailsOf returns the value of the Record, or nil if the element has none.
func detailsOf[T element](v T) []byte {
	d, ok := any(v).(detailed[T])
	if !ok {
		return nil
	}
	if b := encode(d.details()); string(b) != "{}" {
		return b
	}
	return nil
}

// coreOf returns the value of the element's own Record.
func coreOf[T element](v T) []byte {
	if d, ok := any(v).(detailed[T]); ok {
		return encode(d.core())
	}
	return encode(v)
}

func (u User) core() User {
	u.Dates = Dates{}
	return u
}

func (u User) details() any { return u.Dates }

func (u User) detailsFrom(old User) User {
	u.Dates = old.Dates
	return u
}

func (u User) withDetails(value []byte) User {
	u.Dates = decodeDetails[Dates](value)
	return u
}

type groupDetails struct {
	Description string `json:"description,omitempty"`
	Dates
}

func (g Group) core() Group {
	g.Description, g.Dates = "", Dates{}
	return g
}

func (g Group) details() any { return groupDetails{g.Description, g.Dates} }

func (g Group) detailsFrom(old Group) Group {
	g.Description, g.Dates = old.Description, old.Dates
	return g
}

func (g Group) withDetails(value []byte) Group {
	d := decodeDetails[groupDetails](value)
	g.Description, g.Dates = d.Description, d.Dates
	return g
}

type permissionSetDetails struct {
	ID         string   `json:"id,omitempty"`
	RelayState string   `json:"relayState,omitempty"`
	Policies   Policies `json:"policies,omitzero"`
	Dates
}

func (p PermissionSet) core() PermissionSet {
	return PermissionSet{Name: p.Name, Description: p.Description, SessionDuration: p.SessionDuration}
}

func (p PermissionSet) details() any {
	return permissionSetDetails{p.ID, p.RelayState, p.Policies, p.Dates}
}

func (p PermissionSet) detailsFrom(old PermissionSet) PermissionSet {
	p.ID, p.RelayState, p.Policies, p.Dates = old.ID, old.RelayState, old.Policies, old.Dates
	return p
}

func (p PermissionSet) withDetails(value []byte) PermissionSet {
	d := decodeDetails[permissionSetDetails](value)
	p.ID, p.RelayState, p.Policies, p.Dates = d.ID, d.RelayState, d.Policies, d.Dates
	return p
}

type accountDetails struct {
	Management bool `json:"management,omitempty"`
}

func (a Account) core() Account {
	a.Management = false
	return a
}

func (a Account) details() any { return accountDetails{a.Management} }

func (a Account) detailsFrom(old Account) Account {
	a.Management = old.Management
	return a
}

func (a Account) withDetails(value []byte) Account {
	d := decodeDetails[accountDetails](value)
	a.Management = d.Management
	return a
}

type instanceDetails struct {
	IdentitySource IdentitySource `json:"identitySource,omitempty"`
}

func (m InstanceMetadata) core() InstanceMetadata {
	m.IdentitySource = ""
	return m
}

func (m InstanceMetadata) details() any { return instanceDetails{m.IdentitySource} }

func (m InstanceMetadata) detailsFrom(old InstanceMetadata) InstanceMetadata {
	m.IdentitySource = old.IdentitySource
	return m
}

func (m InstanceMetadata) withDetails(value []byte) InstanceMetadata {
	m.IdentitySource = decodeDetails[instanceDetails](value).IdentitySource
	return m
}

type regionDetails struct {
	AddedDate time.Time `json:"addedDate,omitzero"`
}

func (r placedRegion) core() placedRegion {
	r.AddedDate = time.Time{}
	return r
}

func (r placedRegion) details() any { return regionDetails{r.AddedDate} }

func (r placedRegion) detailsFrom(old placedRegion) placedRegion {
	r.AddedDate = old.AddedDate
	return r
}

func (r placedRegion) withDetails(value []byte) placedRegion {
	d := decodeDetails[regionDetails](value)
	r.AddedDate = d.AddedDate
	return r
}

// detailsIn returns the values of the records of KindDetails, by Key.
func detailsIn(records []Record) map[string][]byte {
	var out map[string][]byte
	for _, r := range records {
		if r.Kind == KindDetails {
			if out == nil {
				out = make(map[string][]byte, len(records)/2)
			}
			out[r.Key] = r.Value
		}
	}
	return out
}

// withDetails returns an element with its details: those in the map, which it removes there, or those of the element
// that it replaces, if there is one. A value that can't be decoded counts as none: it must not affect access.
func withDetails[T element](v T, old *T, details map[string][]byte) T {
	d, ok := any(v).(detailed[T])
	if !ok {
		return v
	}
	key := detailsKey(v.kind(), v.key())
	if value, given := details[key]; given {
		delete(details, key)
		return d.withDetails(value)
	}
	if old != nil {
		return d.detailsFrom(*old)
	}
	return v
}

// mergeDetails takes in the details of elements that are otherwise unchanged. Those of unknown elements don't count.
func (d *draft) mergeDetails(details map[string][]byte) {
	for _, key := range slices.Sorted(maps.Keys(details)) {
		switch kind, id, _ := strings.Cut(key, " "); Kind(kind) {
		case KindInstance:
			if d.s.metadata != (InstanceMetadata{}) {
				d.setMetadata(d.s.metadata.withDetails(details[key]))
			}
		case KindUser:
			d.users.mergeDetails(id, details)
		case KindGroup:
			d.groups.mergeDetails(id, details)
		case KindPermissionSet:
			d.sets.mergeDetails(id, details)
		case KindAccount:
			d.accounts.mergeDetails(id, details)
		}
	}
}

func (e *edit[T]) mergeDetails(key string, details map[string][]byte) {
	if v := e.table.get(key); v != nil {
		e.put(withDetails(*v, nil, details))
	}
}

// decodeDetails decodes the value of a Record of KindDetails.
func decodeDetails[D any](value []byte) (out D) {
	var d D
	if value != nil && json.Unmarshal(value, &d) == nil {
		out = d
	}
	return out
}

// Understood returns the value of a Record of an optional Kind as this version writes it: without fields that only
// later versions know. It is nil if this version understands nothing of it. Other kinds are returned as they are.
func Understood(r Record) []byte {
	var v any
	switch r.Kind {
	case KindInstance:
		v = decodeDetails[InstanceMetadata](r.Value)
	case KindDetails:
		switch kind, _, _ := strings.Cut(r.Key, " "); Kind(kind) {
		case KindUser:
			v = decodeDetails[Dates](r.Value)
		case KindGroup:
			v = decodeDetails[groupDetails](r.Value)
		case KindPermissionSet:
			v = decodeDetails[permissionSetDetails](r.Value)
		case KindAccount:
			v = decodeDetails[accountDetails](r.Value)
		case KindRegion:
			v = decodeDetails[regionDetails](r.Value)
		default:
			return nil
		}
	default:
		return r.Value
	}
	return encode(v)
}

// instant returns a time as it is stored: in UTC and in milliseconds.
func instant(t time.Time) time.Time {
	if t.IsZero() {
		return time.Time{}
	}
	return t.UTC().Round(0).Truncate(time.Millisecond)
}

// normalize is promoted to the elements with Dates.
func (d *Dates) normalize() { d.CreatedAt, d.UpdatedAt = instant(d.CreatedAt), instant(d.UpdatedAt) }
