package center

import "fmt"

// newSnapshot takes ownership of d, checks all of it and indexes it. It is the
// only maker of snapshots: state that breaks a rule cannot exist, whether it
// came from New or from an update.
func newSnapshot(d Data) (*Snapshot, error) {
	d.defaults()
	s := &Snapshot{data: d}
	c := &checker{}
	s.indexRegions(c)
	s.indexPeople(c)
	s.indexPermissions(c)
	s.indexApplications(c)
	if c.err != nil {
		return nil, c.err
	}
	return s, nil
}

func (s *Snapshot) indexRegions(c *checker) {
	if len(s.data.Regions) == 0 {
		c.fail(ReasonRequired, "Regions", "at least the primary", "")
	}
	s.regions = make(map[string]int, len(s.data.Regions))
	urls := map[string]bool{}
	for i, r := range s.data.Regions {
		c.region(r)
		put(c, s.regions, r.Name, i, "name of Region")
		for _, list := range [][]string{r.PortalURLs, r.ACSURLs} {
			for _, u := range list {
				if urls[u] {
					c.fail(ReasonDuplicate, "URL of Region", "a URL no Region has yet", u)
				}
				urls[u] = true
			}
		}
	}
	c.of = ""
	if len(s.data.Regions) > 0 && !s.data.Regions[0].Active() {
		c.fail(ReasonInvalid, "status of the primary Region", string(RegionActive), string(s.data.Regions[0].Status))
	}
}

func (s *Snapshot) indexPeople(c *checker) {
	s.users = make(map[string]int, len(s.data.Users))
	s.byName = make(map[string]int, len(s.data.Users))
	for i, u := range s.data.Users {
		c.user(u)
		put(c, s.byName, u.UserName, i, "userName of user")
		put(c, s.users, u.ID, i, "ID of user")
	}
	s.groups = make(map[string]int, len(s.data.Groups))
	s.groupsOf = map[string][]string{}
	names := make(map[string]int, len(s.data.Groups))
	for i, g := range s.data.Groups {
		c.group(g)
		put(c, names, g.Name, i, "name of group")
		put(c, s.groups, g.ID, i, "ID of group")
		members := make(map[string]int, len(g.Members))
		for j, m := range g.Members {
			if _, ok := s.users[m]; !ok {
				c.fail(ReasonDangling, "member of group", "the ID of a user", m)
			}
			put(c, members, m, j, "member of group")
			s.groupsOf[m] = append(s.groupsOf[m], g.ID)
		}
	}
}

func (s *Snapshot) indexPermissions(c *checker) {
	s.sets = make(map[string]int, len(s.data.PermissionSets))
	for i, p := range s.data.PermissionSets {
		c.permissionSet(p)
		put(c, s.sets, p.Name, i, "name of permission set")
	}
	s.accounts = make(map[string]int, len(s.data.Accounts))
	for i, a := range s.data.Accounts {
		c.account(a)
		put(c, s.accounts, a.ID, i, "account ID")
	}
	c.of = ""
	s.assigned = map[Principal][]int{}
	seen := make(map[Assignment]bool, len(s.data.Assignments))
	for i, a := range s.data.Assignments {
		s.principal(c, "assignment", a.Principal)
		if _, ok := s.accounts[a.AccountID]; !ok {
			c.fail(ReasonDangling, "account of assignment", "the ID of an account", a.AccountID)
		}
		if _, ok := s.sets[a.PermissionSet]; !ok {
			c.fail(ReasonDangling, "permission set of assignment", "the name of a permission set", a.PermissionSet)
		}
		if seen[a] {
			c.fail(ReasonDuplicate, "assignment", "each assignment once", fmt.Sprintf("%+v", a))
		}
		seen[a] = true
		s.assigned[a.Principal] = append(s.assigned[a.Principal], i)
	}
}

func (s *Snapshot) indexApplications(c *checker) {
	ids := make(map[string]int, len(s.data.Applications))
	s.apps = map[Principal][]int{}
	for i, a := range s.data.Applications {
		c.application(a)
		put(c, ids, a.ID, i, "ID of application")
		if _, ok := s.regions[a.Region]; !ok {
			c.fail(ReasonDangling, "Region of application", "a Region of the instance", a.Region)
		}
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
	if _, ok := index[p.ID]; !ok {
		c.fail(ReasonDangling, "principal of "+of, "the ID of a "+string(p.Type), p.ID)
	}
}

// put records a key that must be unique.
func put(c *checker, index map[string]int, key string, i int, what string) {
	if _, ok := index[key]; ok {
		c.fail(ReasonDuplicate, what, "one that is not taken", key)
	}
	index[key] = i
}
