package center

import (
	"fmt"
	"iter"
)

// Metadata returns the description of the instance, with its derived IDs and defaults.
func (s *Snapshot) Metadata() InstanceMetadata { return s.ids.instance }

// metadataList returns the written metadata as a list of at most one.
func (s *Snapshot) metadataList() []InstanceMetadata {
	if s.metadata == (InstanceMetadata{}) {
		return nil
	}
	return []InstanceMetadata{s.metadata}
}

// UserUUID returns the UUID of the user with this ID, in AWS's format of a UserId. It is the ID itself if that is a
// UUID, else one that is derived from the ID and the instance's ID (RFC 9562 section 5.5). It never changes, is the
// same in every Region, and is also that of a user who is removed and added again under the same ID. The user needn't
// exist.
func (s *Snapshot) UserUUID(id string) string { return s.ids.space.uuidOf(KindUser, id) }

// GroupUUID is UserUUID for the group with this ID.
func (s *Snapshot) GroupUUID(id string) string { return s.ids.space.uuidOf(KindGroup, id) }

// MembershipUUID returns the UUID of a user's membership in a group. It is derived from the two UUIDs, so a membership
// that ends and begins again has the same.
func (s *Snapshot) MembershipUUID(groupID, userID string) string {
	return s.ids.membership(membership{userID, groupID}).uuid.String()
}

// PermissionSet returns the permission set with this name. Its ID is filled in if it is derived.
func (s *Snapshot) PermissionSet(name string) (PermissionSet, bool) {
	if p := s.sets.get(name); p != nil {
		return s.identified(*p), true
	}
	return PermissionSet{}, false
}

// identified returns a copy of a permission set with its ID.
func (s *Snapshot) identified(p PermissionSet) PermissionSet {
	p = cloneSet(p)
	p.ID = s.ids.setID(&p)
	return p
}

// Role is what a permission set is in an account: the role that its users have there.
type Role struct {
	Account       Account
	PermissionSet PermissionSet
	// Suffix is 16 hexadecimal digits. It is the same in every Region and for all users, another one for each account and
	// each permission set, and another one if the permission set is removed and put again.
	Suffix string

	path string // of its ARN, with slashes at both ends
}

// Name returns the name of the role in its account, such as AWSReservedSSO_ReadOnly_0123456789abcdef.
func (r Role) Name() string { return "AWSReservedSSO_" + r.PermissionSet.Name + "_" + r.Suffix }

// ARN returns the ARN of the role in IAM. Unlike the ARN of a session with it, it has the path.
func (r Role) ARN() string { return "arn:aws:iam::" + r.Account.ID + ":role" + r.path + r.Name() }

// Role returns the role that a permission set is in an account, whether or not it is assigned to any user. Both must
// exist.
func (s *Snapshot) Role(accountID, permissionSet string) (Role, bool) {
	account := s.accounts.get(accountID)
	set, ok := s.PermissionSet(permissionSet)
	if account == nil || !ok {
		return Role{}, false
	}
	return s.role(*account, set), true
}

func (s *Snapshot) role(a Account, set PermissionSet) Role {
	path := "/aws-reserved/sso.amazonaws.com/"
	if primary := s.regionList[0].Name; primary != "us-east-1" {
		path += primary + "/"
	}
	return Role{a, set, roleSuffix(s.ids.instance.ID, a.ID, set.ID), path}
}

// RolesOf yields the roles of the user with this ID, in the order of Accounts. An unknown or inactive user has none.
func (s *Snapshot) RolesOf(userID string) iter.Seq[Role] {
	return func(yield func(Role) bool) {
		for _, a := range s.Accounts(userID) {
			for _, set := range a.PermissionSets {
				if !yield(s.role(a.Account, set)) {
					return
				}
			}
		}
	}
}

// RoleOf returns the role of a user in an account with a permission set, if it is assigned to the user or to one of the
// user's groups. An unknown or inactive user has none.
func (s *Snapshot) RoleOf(userID, accountID, permissionSet string) (Role, bool) {
	for _, p := range s.principals(userID) {
		a := Assignment{p, accountID, permissionSet}
		if is := s.assignments.get(a.key()); is != nil && *is == a {
			return s.Role(accountID, permissionSet)
		}
	}
	return Role{}, false
}

// noAccount stands in ARNs for an account that isn't known.
const noAccount = "000000000000"

// ARN returns the ARN of the instance.
func (m InstanceMetadata) ARN() string { return "arn:aws:sso:::instance/" + m.ID }

// IdentityStoreARN returns the ARN of the instance's users and groups. If the owner isn't known, it has the account
// 000000000000.
func (m InstanceMetadata) IdentityStoreARN() string {
	owner := m.OwnerAccountID
	if owner == "" {
		owner = noAccount
	}
	return fmt.Sprintf("arn:aws:identitystore::%s:identitystore/%s", owner, m.IdentityStoreID)
}

// PermissionSetARN returns the ARN of the permission set with this ID.
func (m InstanceMetadata) PermissionSetARN(id string) string {
	return "arn:aws:sso:::permissionSet/" + m.ID + "/" + id
}

// PermissionSetByID returns the permission set with this ID, which may be a derived one.
func (s *Snapshot) PermissionSetByID(id string) (PermissionSet, bool) {
	name, ok := s.ids.sets.Get(id)
	if !ok {
		return PermissionSet{}, false
	}
	return s.PermissionSet(name)
}

// UserByUUID returns the user with this UUID: see UserUUID. It may be inactive: the caller must check that.
func (s *Snapshot) UserByUUID(uuid string) (User, bool) {
	if id, ok := s.ids.users.Get(uuid); ok {
		return s.UserByID(id)
	}
	if !principalID.MatchString(uuid) {
		return User{}, false
	}
	return s.UserByID(uuid)
}

// GroupByUUID returns the group with this UUID: see GroupUUID.
func (s *Snapshot) GroupByUUID(uuid string) (Group, bool) {
	if id, ok := s.ids.groups.Get(uuid); ok {
		return s.GroupByID(id)
	}
	if !principalID.MatchString(uuid) {
		return Group{}, false
	}
	return s.GroupByID(uuid)
}

// GroupByID returns the group with this ID.
func (s *Snapshot) GroupByID(id string) (Group, bool) {
	if g := s.groups.get(id); g != nil {
		return cloneGroup(*g), true
	}
	return Group{}, false
}

// RoleSuffix returns the Suffix of a Role, or "" if the account or the permission set doesn't exist.
func (s *Snapshot) RoleSuffix(accountID, permissionSet string) string {
	r, _ := s.Role(accountID, permissionSet)
	return r.Suffix
}
