package center

import (
	"cmp"
	"encoding/json"
	"fmt"
	"time"
)

// A User is one person of the workforce.
type User struct {
	// ID stays the same when the user is renamed; groups, assignments and
	// sessions refer to it. Empty means that UserName serves as the ID.
	ID string `json:"id,omitempty"`
	// UserName is what a SAML NameID must equal, byte for byte. Required and
	// unique, and without invisible or bidirectional characters: two that look
	// the same to an operator must be the same.
	UserName string `json:"userName"`
	// DisplayName is what pages call the user. Empty means UserName.
	DisplayName string `json:"displayName,omitempty"`
	// Email is shown and nothing more: it takes no part in signing in.
	Email string `json:"email,omitempty"`
	// GivenName and FamilyName are the parts of the user's name, as the
	// identity provider pushed them. Nothing here reads them.
	GivenName  string `json:"givenName,omitempty"`
	FamilyName string `json:"familyName,omitempty"`
	// ExternalID is what the identity provider calls the user (RFC 7643 3.1).
	// It takes no part in signing in. Empty: none.
	ExternalID string `json:"externalId,omitempty"`
	// IdentityProvider is the entity ID of the identity provider that vouches
	// for the user, and StableID what the user is called there for good. They
	// are reserved: nothing here sets or reads them, and what is in them is kept.
	// Empty: none.
	IdentityProvider string `json:"identityProvider,omitempty"`
	StableID         string `json:"stableId,omitempty"`
	// Inactive users can't sign in and have no access. In JSON it is "active",
	// as in SCIM, and a user without that is inactive.
	Inactive bool `json:"-"`
}

type plainUser User // which has no methods

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

// A Group is a set of users that assignments can name.
type Group struct {
	// ID stays the same when the group is renamed. Empty means Name.
	ID string `json:"id,omitempty"`
	// Name is required and unique.
	Name string `json:"name"`
	// Members are the IDs of users of the instance.
	Members []string `json:"members,omitempty"`
	// ExternalID is what the identity provider calls the group (RFC 7643 3.1).
	// Empty: none.
	ExternalID string `json:"externalId,omitempty"`
}

// defaultSessionDuration is how long a role session lasts when the permission
// set does not say.
const defaultSessionDuration = time.Hour

// A PermissionSet is a set of permissions that becomes a role in each account
// where it is assigned.
type PermissionSet struct {
	// Name is required and unique: 1 to 32 characters of A-Z a-z 0-9 _ + = , . @ -
	Name string
	// Description is shown beside the name.
	Description string
	// SessionDuration is how long a role session lasts, from 1 to 12 hours.
	// Zero means one hour. In JSON it is a string such as "8h".
	SessionDuration time.Duration
}

type permissionSetJSON struct {
	Name            string `json:"name"`
	Description     string `json:"description,omitempty"`
	SessionDuration string `json:"sessionDuration,omitempty"`
}

// MarshalJSON implements json.Marshaler.
func (p PermissionSet) MarshalJSON() ([]byte, error) {
	out := permissionSetJSON{Name: p.Name, Description: p.Description}
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
	out := PermissionSet{Name: in.Name, Description: in.Description}
	if in.SessionDuration != "" {
		d, err := time.ParseDuration(in.SessionDuration)
		if err != nil {
			return fmt.Errorf("center: sessionDuration of permission set %s: %w", quote(in.Name), err)
		}
		out.SessionDuration = d
	}
	*p = out
	return nil
}

// An Account is one account of the organisation.
type Account struct {
	// ID is exactly 12 digits. Required and unique.
	ID string `json:"id"`
	// Name is what pages show. Required.
	Name string `json:"name"`
	// Email is the address of the account's owner.
	Email string `json:"email,omitempty"`
}

// A PrincipalType says whether a principal is one user or a group.
type PrincipalType string

// The two types of principal.
const (
	PrincipalUser  PrincipalType = "user"
	PrincipalGroup PrincipalType = "group"
)

// A Principal is who an assignment is for. It is comparable.
type Principal struct {
	Type PrincipalType `json:"type"`
	// ID is the ID of a user or of a group.
	ID string `json:"id"`
}

// UserPrincipal returns the principal of the user with this ID.
func UserPrincipal(id string) Principal { return Principal{PrincipalUser, id} }

// GroupPrincipal returns the principal of the group with this ID.
func GroupPrincipal(id string) Principal { return Principal{PrincipalGroup, id} }

// An Assignment gives a principal a permission set in an account. It is
// comparable, and the instance holds each one once.
type Assignment struct {
	Principal     Principal `json:"principal"`
	AccountID     string    `json:"accountId"`
	PermissionSet string    `json:"permissionSet"`
}

// An Application is something that people open from the portal.
type Application struct {
	// ID stays the same when the application is renamed. Empty means Name.
	ID string `json:"id,omitempty"`
	// Name is what the tile says. Required.
	Name string `json:"name"`
	// Description is the tile's second line.
	Description string `json:"description,omitempty"`
	// URL is where the tile leads: an absolute http or https URL. Required.
	URL string `json:"url"`
	// Region is the Region that the application was deployed in, is managed in
	// and depends on. Required; one of the instance's Regions.
	Region string `json:"region"`
	// AssignedTo are the principals that see the tile.
	AssignedTo []Principal `json:"assignedTo,omitempty"`
}
