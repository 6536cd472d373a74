package center

import (
	"cmp"
	"encoding/json"
	"fmt"
	"time"

	"github.com/meridian-saml/meridian/portal/internal/refusal"
)

// RegionStatus says whether a Region is in use, or being added or removed.
type RegionStatus string

// The statuses of a Region.
const (
	// RegionActive: the Region's endpoints are in use.
	RegionActive RegionStatus = "ACTIVE"
	// RegionAdding: the instance is being replicated to the Region. Its endpoints are not in use
	// yet.
	RegionAdding RegionStatus = "ADDING"
	// RegionRemoving: the Region is being removed. Its endpoints are not in use any more, but it
	// still has its data. Tx.RemoveRegion makes package replica erase it.
	RegionRemoving RegionStatus = "REMOVING"
)

// Region is a Region that the instance is replicated to.
type Region struct {
	// Name is the Region's code, such as eu-central-1. Required and unique.
	Name string `json:"name"`
	// Label is a name for users, such as "Europe (Frankfurt)". Empty: none.
	Label string `json:"label,omitempty"`
	// Status is one of the constants. Empty: RegionActive.
	Status RegionStatus `json:"status,omitempty"`
	// PortalURLs are the addresses of the Region's access portal, such as the IPv4-only and the
	// dual-stack one. Pages link to the first. Empty: other Regions don't link to this one.
	PortalURLs []string `json:"portalUrls,omitempty"`
	// ACSURLs are the Region's assertion consumer service URLs, in order.
	ACSURLs []string `json:"acsUrls,omitempty"`
}

// PortalURL returns the first of the Region's portal URLs, or "".
func (r Region) PortalURL() string {
	if len(r.PortalURLs) == 0 {
		return ""
	}
	return r.PortalURLs[0]
}

// Active says whether the Region's endpoints are in use.
func (r Region) Active() bool { return r.Status == "" || r.Status == RegionActive }

// User is a user of the workforce.
type User struct {
	// ID never changes, also when the user is renamed. Groups, assignments and sessions refer to
	// it. Empty: UserName.
	ID string `json:"id,omitempty"`
	// UserName must equal a SAML NameID byte for byte. Required and unique. It must have no
	// invisible or bidirectional characters, so that no two users look the same to an operator.
	UserName string `json:"userName"`
	// DisplayName is the name that pages show. Empty: UserName.
	DisplayName string `json:"displayName,omitempty"`
	// Email is not used to sign in.
	Email string `json:"email,omitempty"`
	// GivenName and FamilyName are set by the identity provider. No package uses them.
	GivenName  string `json:"givenName,omitempty"`
	FamilyName string `json:"familyName,omitempty"`
	// ExternalID is the identity provider's ID of the user (RFC 7643 3.1). It is not used to sign
	// in. Empty: none.
	ExternalID string `json:"externalId,omitempty"`
	// IdentityProvider is the entity ID of the user's identity provider, and StableID the user's
	// permanent ID there. They are reserved: their values are kept, and no package sets or uses
	// them. Empty: none.
	IdentityProvider string `json:"identityProvider,omitempty"`
	StableID         string `json:"stableId,omitempty"`
	// Inactive users can't sign in and have no access. JSON has "active" instead, as SCIM does; a
	// user without it is inactive.
	Inactive bool `json:"-"`
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
	// ID never changes, also when the group is renamed. Empty: Name.
	ID string `json:"id,omitempty"`
	// Name is required and unique.
	Name string `json:"name"`
	// Members are IDs of users of the instance.
	Members []string `json:"members,omitempty"`
	// ExternalID is the identity provider's ID of the group (RFC 7643 3.1). Empty: none.
	ExternalID string `json:"externalId,omitempty"`
}

// PermissionSet is a set of permissions that becomes a role in each account where it is assigned.
type PermissionSet struct {
	// Name is required and unique: 1 to 32 characters of A-Z a-z 0-9 _ + = , . @ -
	Name string `json:"name"`
	// Description is shown beside the name.
	Description string `json:"description,omitempty"`
	// SessionDuration is how long a role session lasts, from 1 to 12 hours. In JSON it is a string
	// such as "8h". Zero: one hour.
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
		return fmt.Errorf("center: sessionDuration of permission set %s: %w", refusal.Quote(in.Name), err)
	}
	*p = PermissionSet{Name: in.Name, Description: in.Description, SessionDuration: d}
	return nil
}

// Account is an account of the organization.
type Account struct {
	// ID is exactly 12 digits. Required and unique.
	ID string `json:"id"`
	// Name is shown on pages. Required.
	Name string `json:"name"`
	// Email is the address of the account's owner.
	Email string `json:"email,omitempty"`
}

// PrincipalType says whether a principal is a user or a group.
type PrincipalType string

// The two types of principal.
const (
	PrincipalUser  PrincipalType = "user"
	PrincipalGroup PrincipalType = "group"
)

// Principal is a user or group that an assignment is for. It is comparable.
type Principal struct {
	Type PrincipalType `json:"type"`
	// ID is the ID of a user or group.
	ID string `json:"id"`
}

// UserPrincipal returns the principal of the user with this ID.
func UserPrincipal(id string) Principal { return Principal{PrincipalUser, id} }

// GroupPrincipal returns the principal of the group with this ID.
func GroupPrincipal(id string) Principal { return Principal{PrincipalGroup, id} }

// Assignment gives a principal a permission set in an account. It is comparable, and an instance
// has no duplicates.
type Assignment struct {
	Principal     Principal `json:"principal"`
	AccountID     string    `json:"accountId"`
	PermissionSet string    `json:"permissionSet"`
}

// Application is an application that users open from the portal.
type Application struct {
	// ID never changes, also when the application is renamed. Empty: Name.
	ID string `json:"id,omitempty"`
	// Name is the title of the portal's tile. Required.
	Name string `json:"name"`
	// Description is the tile's second line.
	Description string `json:"description,omitempty"`
	// URL is the tile's link: an absolute http or https URL. Required.
	URL string `json:"url"`
	// Region is the Region in which the application runs and is managed. It must be one of the
	// instance's. Required.
	Region string `json:"region"`
	// AssignedTo are the principals who see the tile.
	AssignedTo []Principal `json:"assignedTo,omitempty"`
}
