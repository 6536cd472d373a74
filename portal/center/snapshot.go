package center

import (
	"cmp"
	"slices"
)

// Snapshot is the state of the instance at one moment. It never changes, so its results are consistent. The caller owns
// the values that its methods return.
type Snapshot struct {
	data Data // nothing outside this package holds its slices

	// Indexes into data, made once by newSnapshot.
	regions   map[string]int
	providers map[string]int       // by entity ID
	users     map[string]int       // by ID
	byName    map[providerName]int // by exact userName
	groups    map[string]int
	sets      map[string]int
	accounts  map[string]int
	groupsOf  map[string][]string // user ID to group IDs
	assigned  map[Principal][]int // into data.Assignments
	apps      map[Principal][]int // into data.Applications
}

// AccountAccess is an account and the permission sets that a user has in it.
type AccountAccess struct {
	Account        Account
	PermissionSets []PermissionSet
}

// Regions returns the Regions in their order, the primary first.
func (s *Snapshot) Regions() []Region { return cloneRegions(s.data.Regions) }

// Primary returns the primary Region.
func (s *Snapshot) Primary() Region { return cloneRegion(s.data.Regions[0]) }

// Region returns the Region with this name.
func (s *Snapshot) Region(name string) (Region, bool) {
	i, ok := s.regions[name]
	if !ok {
		return Region{}, false
	}
	return cloneRegion(s.data.Regions[i]), true
}

// User returns the user whose userName equals this one byte for byte. If users of several identity providers have it,
// there is no result. The user may be inactive: the caller must check that. It is not for sign-in: see UserOf.
func (s *Snapshot) User(userName string) (found User, ok bool) {
	if !s.lists() {
		return userAt(s, s.byName, providerName{"", userName})
	}
	for _, p := range s.data.IdentityProviders {
		if u, has := s.UserOf(p.EntityID, userName); has {
			if ok {
				return User{}, false
			}
			found, ok = u, true
		}
	}
	return found, ok
}

// UserByID returns the user with this ID. It may be inactive: the caller must check that.
func (s *Snapshot) UserByID(id string) (User, bool) { return userAt(s, s.users, id) }

func userAt[K comparable](s *Snapshot, index map[K]int, key K) (User, bool) {
	i, ok := index[key]
	if !ok {
		return User{}, false
	}
	return s.data.Users[i], true
}

// Accounts returns the accounts in which the user with this ID has permission sets, assigned to the user or to one of
// the user's groups. They are sorted by name and then ID, their permission sets by name, without duplicates. An
// unknown or inactive user has none.
func (s *Snapshot) Accounts(userID string) []AccountAccess {
	type role struct{ account, set string }
	seen := map[role]bool{}
	byAccount := map[string][]PermissionSet{}
	for _, p := range s.principals(userID) {
		for _, i := range s.assigned[p] {
			a := s.data.Assignments[i]
			if r := (role{a.AccountID, a.PermissionSet}); !seen[r] {
				seen[r] = true
				set := s.data.PermissionSets[s.sets[a.PermissionSet]]
				byAccount[a.AccountID] = append(byAccount[a.AccountID], set)
			}
		}
	}
	out := make([]AccountAccess, 0, len(byAccount))
	for id, sets := range byAccount {
		slices.SortFunc(sets, func(a, b PermissionSet) int { return cmp.Compare(a.Name, b.Name) })
		out = append(out, AccountAccess{s.data.Accounts[s.accounts[id]], sets})
	}
	slices.SortFunc(out, func(a, b AccountAccess) int {
		return cmp.Or(cmp.Compare(a.Account.Name, b.Account.Name), cmp.Compare(a.Account.ID, b.Account.ID))
	})
	return out
}

// Applications returns the applications of all Regions that are assigned to the user with this ID or to one of the
// user's groups. They are sorted by name and then ID, without duplicates. An unknown or inactive user has none.
func (s *Snapshot) Applications(userID string) []Application {
	seen := map[int]bool{}
	out := []Application{}
	for _, p := range s.principals(userID) {
		for _, i := range s.apps[p] {
			if !seen[i] {
				seen[i] = true
				a := s.data.Applications[i]
				a.AssignedTo = slices.Clone(a.AssignedTo)
				out = append(out, a)
			}
		}
	}
	slices.SortFunc(out, func(a, b Application) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID))
	})
	return out
}

// principals returns the user and the user's groups, and none for an unknown or inactive user.
func (s *Snapshot) principals(userID string) []Principal {
	u, ok := s.UserByID(userID)
	if !ok || u.Inactive {
		return nil
	}
	out := []Principal{UserPrincipal(u.ID)}
	for _, g := range s.groupsOf[u.ID] {
		out = append(out, GroupPrincipal(g))
	}
	return out
}

// Data returns a copy of the whole instance, with defaults filled in.
func (s *Snapshot) Data() Data { return s.data.Clone() }
