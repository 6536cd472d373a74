package center

import (
	"cmp"
	"iter"
	"slices"
	"strings"
)

// Snapshot is the state of the instance at one moment. It never changes, so its results are consistent. The caller owns
// the values that its methods return.
//
// Snapshots share what didn't change between them: see table and draft.
type Snapshot struct {
	metadata     InstanceMetadata // as it is written
	ids          identifiers
	regionList   []Region // in order; a change replaces the list
	regions      map[string]int
	providerList []IdentityProvider
	providers    map[string]int // by entity ID

	users        table[User]
	groups       table[Group]
	sets         table[PermissionSet]
	accounts     table[Account]
	assignments  table[Assignment]
	applications table[Application]
	federations  table[Federation]
	residency    table[residency]
	rotations    table[Rotation]
	parked       table[parkedApplication]

	relations relations
	listed    lists // of AccountSets; a fork begins without
	// strays: a group has a member of another identity provider. NewJournaled and Apply accept that, and an update must
	// mend it.
	strays bool
	// support is Config.Support.
	support func(Application) AppSupport
}

func emptySnapshot() *Snapshot { return &Snapshot{ids: newIdentifiers(), relations: newRelations()} }

// fork returns a copy that can be changed. The caller must hold Instance.writing: see table.fork.
func (s *Snapshot) fork() *Snapshot {
	return &Snapshot{
		metadata: s.metadata, ids: s.ids.fork(),
		regionList: s.regionList, regions: s.regions, providerList: s.providerList, providers: s.providers,
		users: s.users.fork(), groups: s.groups.fork(), sets: s.sets.fork(), accounts: s.accounts.fork(),
		assignments: s.assignments.fork(), applications: s.applications.fork(),
		federations: s.federations.fork(), parked: s.parked.fork(), residency: s.residency.fork(),
		rotations: s.rotations.fork(), relations: s.relations.fork(), support: s.support,
	}
}

// AccountAccess is an account and the permission sets that a user has in it.
type AccountAccess struct {
	Account        Account
	PermissionSets []PermissionSet
}

// Regions returns the Regions in their order, the primary first.
func (s *Snapshot) Regions() []Region { return cloneRegions(s.regionList) }

// Primary returns the primary Region.
func (s *Snapshot) Primary() Region { return cloneRegion(s.regionList[0]) }

// Region returns the Region with this name.
func (s *Snapshot) Region(name string) (Region, bool) {
	i, ok := s.regions[name]
	if !ok {
		return Region{}, false
	}
	return cloneRegion(s.regionList[i]), true
}

// User returns the user whose userName equals this one byte for byte. If users of several identity providers have it,
// there is no result. The user may be inactive: the caller must check that. It is not for sign-in: see UserOf.
func (s *Snapshot) User(userName string) (found User, ok bool) {
	for _, u := range s.relations.usersNamed(userName, false) {
		if !s.belongs(u.IdentityProvider) {
			continue
		}
		if ok {
			return User{}, false
		}
		found, ok = *u, true
	}
	return found, ok
}

// UserByID returns the user with this ID. It may be inactive: the caller must check that.
func (s *Snapshot) UserByID(id string) (User, bool) {
	if u := s.users.get(id); u != nil {
		return *u, true
	}
	return User{}, false
}

// Users yields the users in the order of their IDs. The first one's ID isn't less than from.
func (s *Snapshot) Users(from string) iter.Seq[User] { return values(&s.users, from, unchanged[User]) }

// Groups yields the groups in the order of their IDs. The first one's ID isn't less than from.
func (s *Snapshot) Groups(from string) iter.Seq[Group] { return values(&s.groups, from, cloneGroup) }

// Accounts returns the accounts in which the user with this ID has permission sets, assigned to the user or to one of
// the user's groups. They are sorted by name and then ID, their permission sets by name, without duplicates. An
// unknown or inactive user has none.
func (s *Snapshot) Accounts(userID string) []AccountAccess {
	var roles []*Assignment
	for _, p := range s.principals(userID) {
		s.relations.eachAssigned(p, func(a *Assignment) { roles = append(roles, a) })
	}
	slices.SortFunc(roles, func(a, b *Assignment) int {
		return cmp.Or(strings.Compare(a.AccountID, b.AccountID), strings.Compare(a.PermissionSet, b.PermissionSet))
	})
	out := make([]AccountAccess, 0, len(roles))
	sets, from := make([]PermissionSet, 0, len(roles)), 0 // of all accounts, and where those of the last one begin
	identified := map[string]PermissionSet{}              // by name, because to derive an ID takes longer than to copy
	for i, a := range roles {
		switch {
		case i == 0 || roles[i-1].AccountID != a.AccountID:
			out = append(out, AccountAccess{Account: *s.accounts.get(a.AccountID)})
			from = len(sets)
		case roles[i-1].PermissionSet == a.PermissionSet:
			continue // by another group
		}
		set, ok := identified[a.PermissionSet]
		if !ok {
			set = s.identified(*s.sets.get(a.PermissionSet))
			identified[a.PermissionSet] = set
		}
		sets = append(sets, cloneSet(set))
		out[len(out)-1].PermissionSets = sets[from:len(sets):len(sets)]
	}
	slices.SortFunc(out, func(a, b AccountAccess) int {
		return cmp.Or(cmp.Compare(a.Account.Name, b.Account.Name), cmp.Compare(a.Account.ID, b.Account.ID))
	})
	return out
}

// Applications returns the applications of all Regions that are assigned to the user with this ID or to one of the
// user's groups. They are sorted by name and then ID, without duplicates. An unknown or inactive user has none.
func (s *Snapshot) Applications(userID string) []Application {
	seen := map[string]bool{}
	out := []Application{}
	for _, p := range s.principals(userID) {
		s.relations.eachApp(p, func(id string) {
			if !seen[id] {
				seen[id] = true
				out = append(out, cloneApplication(*s.applications.get(id)))
			}
		})
	}
	slices.SortFunc(out, func(a, b Application) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID))
	})
	return out
}

// Application returns the application with this ID.
func (s *Snapshot) Application(id string) (Application, bool) {
	if a := s.applications.get(id); a != nil {
		return cloneApplication(*a), true
	}
	return Application{}, false
}

// principals returns the user and the user's groups, and none for an unknown or inactive user.
func (s *Snapshot) principals(userID string) []Principal {
	u, ok := s.UserByID(userID)
	if !ok || u.Inactive {
		return nil
	}
	out := []Principal{UserPrincipal(u.ID)}
	for _, id := range s.relations.groupsWith(u.ID) {
		// checkMembers refuses others in updates.
		if !s.lists() || s.groups.get(id).IdentityProvider == u.IdentityProvider {
			out = append(out, GroupPrincipal(id))
		}
	}
	return out
}

// Data returns a copy of the whole instance, with defaults filled in. New elements are last in their lists.
func (s *Snapshot) Data() Data {
	return Data{
		Instance: s.metadata,
		Regions:  cloneRegions(s.regionList), IdentityProviders: slices.Clone(s.providerList),
		Users: copied(&s.users, unchanged), Groups: copied(&s.groups, cloneGroup),
		PermissionSets: copied(&s.sets, cloneSet), Accounts: copied(&s.accounts, unchanged),
		Assignments: copied(&s.assignments, unchanged), Applications: copied(&s.applications, cloneApplication),
		Federations: copied(&s.federations, Federation.clone), Parked: s.allParked(),
		Residency: s.Residency(), OutOfRotation: copied(&s.rotations, unchanged),
	}
}
