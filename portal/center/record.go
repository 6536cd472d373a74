package center

import "encoding/json"

// Kind is the kind of a Record's element. There is one for each list of Data, and two more.
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
	// KindInstance is Data.Instance, unless it is empty.
	KindInstance Kind = "instance"
	// KindDetails are the fields of an element that versions before this kind don't have.
	KindDetails Kind = "details"
	// KindFederation is the metadata and policy of an identity provider: a Federation.
	KindFederation Kind = "federation"
	// KindParkedApplication is an application of a Region that was removed: see Snapshot.ParkedApplications.
	KindParkedApplication Kind = "parkedApplication"
	// KindResidency is Data.Residency, unless it is empty.
	KindResidency Kind = "residency"
	// KindRotation is a Region that is out of rotation: a Rotation. Only that Region writes it.
	KindRotation Kind = "rotation"
)

// Optional reports whether a reader that doesn't know the kind may skip its records: they change no user's access. It
// must keep them and pass them on.
func (k Kind) Optional() bool {
	switch k {
	case KindInstance, KindDetails, KindFederation, KindParkedApplication, KindResidency, KindRotation:
		return true
	}
	return false
}

// Record is one element of the instance as it is stored and sent. Two records are about the same element if Kind and
// Key are equal.
type Record struct {
	Kind Kind
	// Key is the ID of a user, group, account or application, the name of a Region (also of a rotation) or permission
	// set, or the entity ID of an identity provider. For an assignment it is the account's ID, the permission set's
	// name, the principal's type and its ID, joined by slashes. (Only the last of these can contain a slash.) For
	// details it is the element's Kind and Key, joined by a space. For the instance and the residency it is their Kind.
	Key string
	// Value is the element as JSON, a Region's with its position, and without its details. Nil: the element was removed,
	// or has no details.
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
	d := newDraft(emptySnapshot())
	if err := d.merge(records); err != nil {
		return Data{}, err
	}
	return d.s.Data(), nil
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
	if d, ok := any(*v).(detailed[T]); ok {
		*v = d.core()
	}
	if want := (*v).key(); want != r.Key {
		rule := "key of record of " + string(r.Kind)
		return nil, &Error{Reason: ReasonInvalid, Rule: rule, Want: quote(want), Got: r.Key}
	}
	return v, nil
}
