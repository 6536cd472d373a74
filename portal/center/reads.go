package center

import (
	"encoding/hex"
	"iter"
	"strings"
	"unicode"
)

// The methods below yield elements in the order of their IDs, from an ID on, so that a caller can return them in pages:
// it stops where the page is full, and begins the next one at the ID that it had come to. They read only what they
// yield. If an element is added or removed between two pages, no other one is left out or repeated.

// PermissionSets yields the permission sets in the order of their names. The first one's name isn't less than from.
func (s *Snapshot) PermissionSets(from string) iter.Seq[PermissionSet] {
	return values(&s.sets, from, s.identified)
}

// AllAccounts yields the accounts of the organization in the order of their IDs. The first one's ID isn't less than
// from.
func (s *Snapshot) AllAccounts(from string) iter.Seq[Account] {
	return values(&s.accounts, from, unchanged[Account])
}

// Account returns the account with this ID.
func (s *Snapshot) Account(id string) (Account, bool) {
	if a := s.accounts.get(id); a != nil {
		return *a, true
	}
	return Account{}, false
}

// Membership is a user's membership in a group.
type Membership struct {
	UUID            string // see Snapshot.MembershipUUID
	GroupID, UserID string
}

func (s *Snapshot) membership(m membership) Membership {
	return Membership{s.ids.membership(m).uuid.String(), m.group, m.user}
}

// Members yields the memberships in the group with this ID, in the order of the users' IDs. The first user's ID isn't
// less than from. An unknown group has none.
func (s *Snapshot) Members(groupID, from string) iter.Seq[Membership] {
	return func(yield func(Membership) bool) {
		s.relations.byGroup.Ascend(membership{from, groupID}, func(m membership) bool {
			return m.group == groupID && yield(s.membership(m))
		})
	}
}

// MembershipsOf yields the memberships of the user with this ID, in the order of the groups' IDs. The first group's ID
// isn't less than from. An unknown user has none; an inactive user's are as if it were active.
func (s *Snapshot) MembershipsOf(userID, from string) iter.Seq[Membership] {
	return func(yield func(Membership) bool) {
		s.relations.members.Ascend(membership{userID, from}, func(m membership) bool {
			return m.user == userID && yield(s.membership(m))
		})
	}
}

// IsMember reports whether the user with this ID is a member of the group with this ID.
func (s *Snapshot) IsMember(groupID, userID string) bool {
	_, ok := s.relations.members.Get(membership{userID, groupID})
	return ok
}

// MembershipByUUID returns the membership with this UUID.
func (s *Snapshot) MembershipByUUID(id string) (Membership, bool) {
	var want uuid
	digits := strings.ReplaceAll(id, "-", "")
	if len(digits) != 2*len(want) {
		return Membership{}, false
	}
	if _, err := hex.Decode(want[:], []byte(digits)); err != nil || want.String() != id {
		return Membership{}, false
	}
	m, ok := s.ids.memberships.Get(membershipID{uuid: want})
	if !ok {
		return Membership{}, false
	}
	return s.membership(m.of), true
}

// AssignmentsIn yields the assignments of a permission set in an account, in the order of their principals: groups
// before users, then by ID. The first principal isn't before from.
func (s *Snapshot) AssignmentsIn(accountID, permissionSet string, from Principal) iter.Seq[Assignment] {
	return func(yield func(Assignment) bool) {
		for a := range s.assignments.from(Assignment{from, accountID, permissionSet}.key()) {
			if a.AccountID != accountID || a.PermissionSet != permissionSet || !yield(*a) {
				return
			}
		}
	}
}

// AssignmentsOf yields the assignments that name a principal, in the order of accounts and then permission sets. A
// user's don't include those of the user's groups. The first one isn't before the account and permission set of from.
func (s *Snapshot) AssignmentsOf(p Principal, from Assignment) iter.Seq[Assignment] {
	return func(yield func(Assignment) bool) {
		from.Principal = p
		s.relations.assigned.Ascend(&from, func(a *Assignment) bool {
			return a.Principal == p && yield(*a)
		})
	}
}

// UsersByEmail returns the users with this address, of all identity providers, in the order of their IDs. Letters
// compare ignoring case, as in package scim. An address names no user by itself: it is not for sign-in.
func (s *Snapshot) UsersByEmail(email string) []User {
	with, _ := s.relations.byEmail.Get(fold(email))
	return sortedCopies(with, unchanged[User])
}

// UserByExternalID returns the identity provider's user with this externalId, which is compared byte for byte. If
// several have it, there is no result. An identity provider that isn't listed has no users. The user may be inactive:
// the caller must check that.
func (s *Snapshot) UserByExternalID(identityProvider, externalID string) (User, bool) {
	with, _ := s.relations.userExt.Get(externalID)
	u, ok := only(s, with, identityProvider, func(u *User) string { return u.IdentityProvider })
	if !ok {
		return User{}, false
	}
	return *u, true
}

// GroupByExternalID is UserByExternalID for a group.
func (s *Snapshot) GroupByExternalID(identityProvider, externalID string) (Group, bool) {
	with, _ := s.relations.groupExt.Get(externalID)
	return onlyGroup(s, with, identityProvider)
}

// GroupOf returns the identity provider's group whose name equals this one byte for byte: see UserOf.
func (s *Snapshot) GroupOf(identityProvider, name string) (Group, bool) {
	with, _ := s.relations.groupName.Get(name)
	return onlyGroup(s, with, identityProvider)
}

func onlyGroup(s *Snapshot, with []*Group, identityProvider string) (Group, bool) {
	g, ok := only(s, with, identityProvider, func(g *Group) string { return g.IdentityProvider })
	if !ok {
		return Group{}, false
	}
	return cloneGroup(*g), true
}

// only returns the one element of an identity provider, if there is one and no other.
func only[T any](s *Snapshot, with []*T, identityProvider string, of func(*T) string) (found *T, ok bool) {
	if !s.belongs(identityProvider) {
		return nil, false
	}
	for _, v := range with {
		if of(v) != identityProvider && (of(v) != "" || s.lists()) {
			continue
		}
		if found != nil {
			return nil, false
		}
		found = v
	}
	return found, found != nil
}

// fold returns a text in which letters that differ only by case are equal. It equals that of package scim.
func fold(s string) string {
	return strings.Map(func(r rune) rune {
		least := r
		for next := unicode.SimpleFold(r); next != r; next = unicode.SimpleFold(next) {
			least = min(least, next)
		}
		return least
	}, s)
}
