package center

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"time"
)

// RegionStatus is the status of a Region: in use, being added, or being removed.
type RegionStatus string

// The statuses of a Region.
const (
	// RegionActive: the Region's endpoints are in use.
	RegionActive RegionStatus = "ACTIVE"
	// RegionAdding: the instance is being replicated to the Region. Its endpoints are not in use yet.
	RegionAdding RegionStatus = "ADDING"
	// RegionRemoving: the Region is being removed. Its endpoints are not in use any more, but it still has its data.
	// Package replica ends the removal (Tx.EndRemoval), and erases it.
	RegionRemoving RegionStatus = "REMOVING"
)

// Region is a Region that the instance is replicated to.
type Region struct {
	Name   string       `json:"name"`             // such as eu-central-1; required and unique
	Label  string       `json:"label,omitempty"`  // for users, such as "Europe (Frankfurt)"; empty: none
	Status RegionStatus `json:"status,omitempty"` // empty: RegionActive
	// PortalURLs are the addresses of the Region's access portal, such as the IPv4-only and the dual-stack one. Pages
	// link to the first. Empty: other Regions don't link to this one.
	PortalURLs []string `json:"portalUrls,omitempty"`
	// ACSURLs are the Region's assertion consumer service URLs, in order.
	ACSURLs []string `json:"acsUrls,omitempty"`
	// AddedDate is when the Region was added. The primary's clock sets it. Zero: not known.
	AddedDate time.Time `json:"addedDate,omitzero"`
}

// Active reports whether the Region's endpoints are in use.
func (r Region) Active() bool { return r.Status == "" || r.Status == RegionActive }

// User is a user of the workforce.
type User struct {
	// ID never changes, also when the user is renamed. Groups, assignments and sessions refer to it. Empty: UserName.
	ID string `json:"id,omitempty"`
	// UserName must equal a SAML NameID byte for byte. Required, and unique among the users of an identity provider. It
	// must have no invisible or bidirectional characters, so that no two users look the same to an operator.
	UserName    string `json:"userName"`
	DisplayName string `json:"displayName,omitempty"` // shown on pages; empty: UserName
	Email       string `json:"email,omitempty"`       // not used to sign in
	// GivenName and FamilyName are set by the identity provider. No package uses them.
	GivenName  string `json:"givenName,omitempty"`
	FamilyName string `json:"familyName,omitempty"`
	// ExternalID is the identity provider's ID of the user (RFC 7643 3.1). It is not used to sign in. Empty: none.
	ExternalID string `json:"externalId,omitempty"`
	// IdentityProvider is the entity ID of the identity provider that the user belongs to: no other can assert the user.
	// It must be one of Data.IdentityProviders, if there are any. Empty: the only one of the service provider.
	IdentityProvider string `json:"identityProvider,omitempty"`
	// StableID is the user's permanent ID at the identity provider. It is reserved: no package sets or uses it, but its
	// value is kept. Empty: none.
	StableID string `json:"stableId,omitempty"`
	// Inactive users can't sign in and have no access. JSON has "active" instead, as SCIM does; a user without it is
	// inactive.
	Inactive bool `json:"-"`
	Dates
}

// Dates are when an element was created and last changed, by the clock of the primary Region, in milliseconds. Tx sets
// both; what a caller puts there has no effect on an element that is written. Zero: not known, as for elements from
// before there were dates. UpdatedAt is never before CreatedAt.
type Dates struct {
	CreatedAt time.Time `json:"createdAt,omitzero"`
	UpdatedAt time.Time `json:"updatedAt,omitzero"`
}

type plainUser User // has no JSON methods

type userJSON struct {
	plainUser
	Active bool `json:"active"`
}

// MarshalJSON implements json.Marshaler.
func (u User) MarshalJSON() ([]byte, error) {
	return json.Marshal(userJSON{plainUser(u), !u.Inactive})
}

// UnmarshalJSON implements json.Unmarshaler.
func (u *User) UnmarshalJSON(b []byte) error {
	var v userJSON
	if err := json.Unmarshal(b, &v); err != nil {
		return err
	}
	*u = User(v.plainUser)
	u.Inactive = !v.Active
	return nil
}

// Label returns the name that pages show.
func (u User) Label() string { return cmp.Or(u.DisplayName, u.UserName) }

// Group is a set of users that assignments can name.
type Group struct {
	ID         string   `json:"id,omitempty"`         // never changes, also when the group is renamed; empty: Name
	Name       string   `json:"name"`                 // required; unique within an identity provider
	Members    []string `json:"members,omitempty"`    // IDs of users
	ExternalID string   `json:"externalId,omitempty"` // the identity provider's ID (RFC 7643 3.1); empty: none
	// IdentityProvider is that of the members: see User.
	IdentityProvider string `json:"identityProvider,omitempty"`
	Description      string `json:"description,omitempty"` // up to 1,024 characters; empty: none
	Dates
}

// PermissionSet is a set of permissions that becomes a role in each account where it is assigned.
type PermissionSet struct {
	// Name is required and unique: 1 to 32 characters of A-Z a-z 0-9 _ + = , . @ -
	Name        string `json:"name"`
	Description string `json:"description,omitempty"` // shown beside the name
	// ID is ps- and 16 letters, digits, dots, slashes and hyphens. Tx makes it, and it never changes: a set that is
	// removed and put again is another one. Empty in Data: derived from the instance's ID and the name, as for sets from
	// before there were IDs.
	ID         string   `json:"id,omitempty"`
	RelayState string   `json:"relayState,omitempty"` // the address that a console session begins at; empty: none
	Policies   Policies `json:"policies,omitzero"`
	Dates
	// SessionDuration is how long a role session lasts, from 1 to 12 hours. In JSON it is a string such as "8h". Zero:
	// one hour.
	SessionDuration time.Duration `json:"-"`
}

type plainPermissionSet PermissionSet // has no JSON methods

type permissionSetJSON struct {
	plainPermissionSet
	SessionDuration string `json:"sessionDuration,omitempty"`
}

// MarshalJSON implements json.Marshaler.
func (p PermissionSet) MarshalJSON() ([]byte, error) {
	out := permissionSetJSON{plainPermissionSet: plainPermissionSet(p)}
	if p.SessionDuration != 0 {
		out.SessionDuration = p.SessionDuration.String()
	}
	return json.Marshal(out)
}

// UnmarshalJSON implements json.Unmarshaler.
func (p *PermissionSet) UnmarshalJSON(b []byte) error {
	var in permissionSetJSON
	if err := json.Unmarshal(b, &in); err != nil {
		return err
	}
	d, err := time.ParseDuration(cmp.Or(in.SessionDuration, "0"))
	if err != nil {
		return fmt.Errorf("center: sessionDuration of permission set %s: %w", quote(in.Name), err)
	}
	*p = PermissionSet(in.plainPermissionSet)
	p.SessionDuration = d
	return nil
}

// Account is an account of the organization.
type Account struct {
	ID    string `json:"id"`              // exactly 12 digits; required and unique
	Name  string `json:"name"`            // shown on pages; required
	Email string `json:"email,omitempty"` // of the account's owner
	// Management: this is the management account of the organization. At most one is.
	Management bool `json:"management,omitempty"`
}

// PrincipalType is the type of a principal: user or group.
type PrincipalType string

// The two types of principal.
const (
	PrincipalUser  PrincipalType = "user"
	PrincipalGroup PrincipalType = "group"
)

// Principal is the user or group of an assignment. It is comparable.
type Principal struct {
	Type PrincipalType `json:"type"`
	ID   string        `json:"id"` // of a user or group
}

// UserPrincipal returns the principal of the user with this ID.
func UserPrincipal(id string) Principal { return Principal{PrincipalUser, id} }

// GroupPrincipal returns the principal of the group with this ID.
func GroupPrincipal(id string) Principal { return Principal{PrincipalGroup, id} }

// Assignment gives a principal a permission set in an account. It is comparable, and an instance has no duplicates.
type Assignment struct {
	Principal     Principal `json:"principal"`
	AccountID     string    `json:"accountId"`
	PermissionSet string    `json:"permissionSet"`
}

// Application is an application that users open from the portal.
type Application struct {
	ID          string `json:"id,omitempty"`          // never changes, also when it is renamed; empty: Name
	Name        string `json:"name"`                  // the title of the portal's tile; required
	Description string `json:"description,omitempty"` // the tile's second line
	URL         string `json:"url"`                   // the tile's link, absolute http or https; required
	// Region is the Region in which the application runs and is managed. It must be one of the instance's. Required.
	Region     string      `json:"region"`
	AssignedTo []Principal `json:"assignedTo,omitempty"` // the principals who see the tile
}

// Data describes a whole instance, as a literal or as JSON. It must have a Region; everything else may be empty.
type Data struct {
	Instance InstanceMetadata `json:"instance,omitzero"`
	// Regions are ordered, and the first is the primary.
	Regions []Region `json:"regions"`
	// IdentityProviders are all that vouch for users. Empty: users belong to the only one of the service provider.
	IdentityProviders []IdentityProvider `json:"identityProviders,omitempty"`
	Users             []User             `json:"users,omitempty"`
	Groups            []Group            `json:"groups,omitempty"`
	PermissionSets    []PermissionSet    `json:"permissionSets,omitempty"`
	Accounts          []Account          `json:"accounts,omitempty"`
	Assignments       []Assignment       `json:"assignments,omitempty"`
	Applications      []Application      `json:"applications,omitempty"`
	Federations       []Federation       `json:"federations,omitempty"`
	// Parked are the applications of Regions that were removed: see Snapshot.ParkedApplications.
	Parked []Application `json:"parkedApplications,omitempty"`
	// Residency are the Regions that the instance may ever be extended to: see Tx.SetResidency. Empty: every Region.
	Residency []string `json:"residency,omitempty"`
	// OutOfRotation are the Regions that operators took out of rotation: see Tx.SetRotation.
	OutOfRotation []Rotation `json:"outOfRotation,omitempty"`
}

// Clone returns a copy that shares no memory with d.
func (d Data) Clone() Data {
	d.Regions = cloneRegions(d.Regions)
	d.IdentityProviders = slices.Clone(d.IdentityProviders)
	d.Users = slices.Clone(d.Users)
	d.Groups = slices.Clone(d.Groups)
	d.PermissionSets = slices.Clone(d.PermissionSets)
	d.Accounts = slices.Clone(d.Accounts)
	d.Assignments = slices.Clone(d.Assignments)
	d.Applications = slices.Clone(d.Applications)
	for i, g := range d.Groups {
		d.Groups[i].Members = slices.Clone(g.Members)
	}
	for i, p := range d.PermissionSets {
		d.PermissionSets[i].Policies = p.Policies.clone()
	}
	d.Federations, d.Parked = slices.Clone(d.Federations), slices.Clone(d.Parked)
	d.Residency, d.OutOfRotation = slices.Clone(d.Residency), slices.Clone(d.OutOfRotation)
	for _, list := range [][]Application{d.Applications, d.Parked} {
		for i, a := range list {
			list[i].AssignedTo = slices.Clone(a.AssignedTo)
		}
	}
	for i, f := range d.Federations {
		d.Federations[i] = f.clone()
	}
	return d
}

func cloneRegions(list []Region) []Region {
	out := slices.Clone(list)
	for i, r := range out {
		out[i] = cloneRegion(r)
	}
	return out
}

func cloneRegion(r Region) Region {
	r.PortalURLs = slices.Clone(r.PortalURLs)
	r.ACSURLs = slices.Clone(r.ACSURLs)
	return r
}
