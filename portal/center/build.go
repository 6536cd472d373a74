package center

import (
	"fmt"
	"slices"
)

// newSnapshot takes ownership of d, checks it and indexes it. It makes every snapshot, so no invalid state can exist.
func newSnapshot(d Data) (*Snapshot, error) {
	d.defaults()
	s := &Snapshot{data: d}
	c := &checker{}
	s.indexRegions(c)
	s.providers = index(c, s.data.IdentityProviders, c.identityProvider, "entityId of identity provider")
	s.indexPeople(c)
	s.indexPermissions(c)
	s.indexApplications(c)
	if c.err != nil {
		return nil, c.err
	}
	return s, nil
}

// index checks the elements of a list and indexes them by their unique keys.
func index[T element](c *checker, list []T, check func(T), what string) map[string]int {
	out := make(map[string]int, len(list))
	for i, v := range list {
		c.of = ""
		check(v)
		unique(c, out, v.key(), i, what)
	}
	c.of = ""
	return out
}

func unique(c *checker, index map[string]int, key string, i int, what string) {
	uniqueBy(c, index, key, i, what, key)
}

// uniqueBy is unique for a value whose key has more parts.
func uniqueBy[K comparable](c *checker, index map[K]int, key K, i int, what, value string) {
	if _, ok := index[key]; ok {
		c.fail(ReasonDuplicate, what, "a unique value", value)
	}
	index[key] = i
}

func exists(c *checker, index map[string]int, key, what, want string) {
	if _, ok := index[key]; !ok {
		c.fail(ReasonDangling, what, want, key)
	}
}

func (s *Snapshot) indexRegions(c *checker) {
	s.regions = index(c, s.data.Regions, c.region, "name of Region")
	if len(s.data.Regions) == 0 {
		c.fail(ReasonRequired, "Regions", "at least the primary", "")
		return
	}
	urls := map[string]int{}
	for i, r := range s.data.Regions {
		c.of = r.Name
		for _, u := range slices.Concat(r.PortalURLs, r.ACSURLs) {
			unique(c, urls, u, i, "URL of Region")
		}
	}
	c.of = ""
	if primary := s.data.Regions[0]; !primary.Active() {
		c.fail(ReasonInvalid, "status of the primary Region", string(RegionActive), string(primary.Status))
	}
}

func (s *Snapshot) indexPeople(c *checker) {
	s.users = index(c, s.data.Users, c.user, "ID of user")
	s.byName = make(map[providerName]int, len(s.data.Users))
	for i, u := range s.data.Users {
		c.of = u.UserName
		uniqueBy(c, s.byName, s.named(u.IdentityProvider, u.UserName), i, "userName of user", u.UserName)
	}
	s.groups = index(c, s.data.Groups, c.group, "ID of group")
	s.groupsOf = map[string][]string{}
	names := make(map[providerName]int, len(s.data.Groups))
	for i, g := range s.data.Groups {
		c.of = g.Name
		uniqueBy(c, names, s.named(g.IdentityProvider, g.Name), i, "name of group", g.Name)
		members := make(map[string]int, len(g.Members))
		for j, m := range g.Members {
			exists(c, s.users, m, "member of group", "the ID of a user")
			unique(c, members, m, j, "member of group")
			if s.sameProvider(g, m) { // checkProviders refuses others in updates
				s.groupsOf[m] = append(s.groupsOf[m], g.ID)
			}
		}
	}
	c.of = ""
}

func (s *Snapshot) indexPermissions(c *checker) {
	s.sets = index(c, s.data.PermissionSets, c.permissionSet, "name of permission set")
	s.accounts = index(c, s.data.Accounts, c.account, "account ID")
	s.assigned = map[Principal][]int{}
	seen := make(map[Assignment]bool, len(s.data.Assignments))
	for i, a := range s.data.Assignments {
		s.principal(c, "assignment", a.Principal)
		exists(c, s.accounts, a.AccountID, "account of assignment", "the ID of an account")
		exists(c, s.sets, a.PermissionSet, "permission set of assignment", "the name of a permission set")
		if seen[a] {
			c.fail(ReasonDuplicate, "assignment", "no duplicates", fmt.Sprintf("%+v", a))
		}
		seen[a] = true
		s.assigned[a.Principal] = append(s.assigned[a.Principal], i)
	}
}

func (s *Snapshot) indexApplications(c *checker) {
	index(c, s.data.Applications, c.application, "ID of application")
	s.apps = map[Principal][]int{}
	for i, a := range s.data.Applications {
		c.of = a.Name
		exists(c, s.regions, a.Region, "Region of application", "a Region of the instance")
		for _, p := range a.AssignedTo {
			s.principal(c, "application", p)
			s.apps[p] = append(s.apps[p], i)
		}
	}
}

func (s *Snapshot) principal(c *checker, of string, p Principal) {
	index := s.users
	switch p.Type {
	case PrincipalUser:
	case PrincipalGroup:
		index = s.groups
	default:
		c.fail(ReasonInvalid, "principal type of "+of, "user or group", string(p.Type))
	}
	exists(c, index, p.ID, "principal of "+of, "the ID of a "+string(p.Type))
}
