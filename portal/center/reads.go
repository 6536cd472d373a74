package center

import (
	"encoding/hex"
	"iter"
	"strings"
	"unicode"
	"unicode/utf8"
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

// GroupName returns the name of the group with this ID, or "".
func (s *Snapshot) GroupName(id string) string {
	if g := s.groups.get(id); g != nil {
		return g.Name
	}
	return ""
}

// UsersByEmail returns the users with this address, of all identity providers, in the order of their IDs. Letters
// compare ignoring case, as in package scim. An address names no user by itself: it is not for sign-in.
func (s *Snapshot) UsersByEmail(email string) (out []User) {
	email = fold(email)
	s.relations.byEmail.Ascend(addressee{email: email}, func(a addressee) bool {
		if a.email == email {
			out = append(out, *s.users.get(a.user))
		}
		return a.email == email
	})
	return out
}

// UsersNamed returns the users with this userName, of all identity providers, in the order of their IDs. Letters
// compare ignoring case, as in package scim. It is not for sign-in: see UserOf.
func (s *Snapshot) UsersNamed(userName string) []User {
	return sortedCopies(s.relations.usersNamed(userName, true), unchanged[User])
}

// UsersByExternalID returns the users with this externalId, which is compared byte for byte, of all identity providers,
// in the order of their IDs.
func (s *Snapshot) UsersByExternalID(externalID string) []User {
	with, _ := s.relations.userExt.Get(externalID)
	return sortedCopies(with, unchanged[User])
}

// GroupsNamed is UsersNamed for groups.
func (s *Snapshot) GroupsNamed(name string) []Group {
	return sortedCopies(s.relations.groupsNamed(name, true), cloneGroup)
}

// GroupsByExternalID is UsersByExternalID for groups.
func (s *Snapshot) GroupsByExternalID(externalID string) []Group {
	with, _ := s.relations.groupExt.Get(externalID)
	return sortedCopies(with, cloneGroup)
}

// GroupsWith returns the groups that the user with this ID is a member of, in the order of their IDs. An unknown user
// has none; an inactive user's are as if it were active.
func (s *Snapshot) GroupsWith(userID string) []Group {
	ids := s.relations.groupsWith(userID)
	out := make([]Group, len(ids))
	for i, id := range ids {
		out[i] = cloneGroup(*s.groups.get(id))
	}
	return out
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
	return onlyGroup(s, s.relations.groupsNamed(name, false), identityProvider)
}

func onlyGroup(s *Snapshot, with []*Group, identityProvider string) (Group, bool) {
	g, ok := only(s, with, identityProvider, func(g *Group) string { return g.IdentityProvider })
	if !ok {
		return Group{}, false
	}
	return cloneGroup(*g), true
}

// UsersNamed is Snapshot.UsersNamed of the state so far.
func (t *Tx) UsersNamed(userName string) []User { return t.d.s.UsersNamed(userName) }

// UsersByEmail is Snapshot.UsersByEmail of the state so far.
func (t *Tx) UsersByEmail(email string) []User { return t.d.s.UsersByEmail(email) }

// UsersByExternalID is Snapshot.UsersByExternalID of the state so far.
func (t *Tx) UsersByExternalID(externalID string) []User { return t.d.s.UsersByExternalID(externalID) }

// GroupsNamed is Snapshot.GroupsNamed of the state so far.
func (t *Tx) GroupsNamed(name string) []Group { return t.d.s.GroupsNamed(name) }

// GroupsByExternalID is Snapshot.GroupsByExternalID of the state so far.
func (t *Tx) GroupsByExternalID(externalID string) []Group {
	return t.d.s.GroupsByExternalID(externalID)
}

// GroupsWith is Snapshot.GroupsWith of the state so far.
func (t *Tx) GroupsWith(userID string) []Group { return t.d.s.GroupsWith(userID) }

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

// fold returns equal strings for two strings if, and only if, strings.EqualFold reports true for them. It equals that
// of package scim.
func fold(s string) string {
	if strings.IndexFunc(s, func(r rune) bool { return r >= utf8.RuneSelf || ('A' <= r && r <= 'Z') }) < 0 {
		return s // the usual case, in which an index needs no copy
	}
	return strings.Map(func(r rune) rune {
		least := r
		for next := unicode.SimpleFold(r); next != r; next = unicode.SimpleFold(next) {
			least = min(least, next)
		}
		if 'A' <= least && least <= 'Z' {
			least += 'a' - 'A' // as in the strings that are returned above
		}
		return least
	}, s)
}
