package center

import (
	"slices"
	"strings"
)

// finish checks what was touched, and what depends on it, and returns the new snapshot. The rest was checked before.
// isNew says that the rules for new elements apply, too: see checkNewName and checkOwners.
func (d *draft) finish(isNew bool) (*Snapshot, error) {
	c := &checker{}
	d.checkRegions(c)
	if c.err != nil {
		return nil, c.err
	}
	d.identify(c, isNew)
	if isNew {
		d.checkMetadata(c)
		d.checkFederations(c)
		d.checkResidency(c)
	}
	all := d.checkIdentityProviders(c)
	d.checkPeople(c, all, isNew)
	d.checkPermissions(c, isNew)
	d.checkApplications(c)
	if c.err != nil {
		return nil, c.err
	}
	return d.s, nil
}

func (d *draft) checkRegions(c *checker) {
	if len(d.s.regionList) == 0 {
		c.fail(ReasonRequired, "Regions", "at least the primary", "")
		return
	}
	if sameList(d.base.regionList, d.s.regionList) {
		return
	}
	list(c, d.s.regionList, c.region, "name of Region")
	urls := map[string]bool{}
	for _, r := range d.s.regionList {
		c.of = r.Name
		for _, u := range slices.Concat(r.PortalURLs, r.ACSURLs) {
			unique(c, urls, u, "URL of Region")
		}
	}
	c.of = ""
	if primary := d.s.regionList[0]; !primary.Active() {
		c.fail(ReasonInvalid, "status of the primary Region", string(RegionActive), string(primary.Status))
	}
}

// sameList reports whether two lists are the same one, and so weren't touched.
func sameList[T any](a, b []T) bool {
	return len(a) == len(b) && (len(a) == 0 || &a[0] == &b[0])
}

// checkIdentityProviders checks the list. It reports whether the change of the list can make any user or group invalid:
// if one was removed from it, or if it is the first one, or the last.
func (d *draft) checkIdentityProviders(c *checker) (all bool) {
	if sameList(d.base.providerList, d.s.providerList) {
		return false
	}
	list(c, d.s.providerList, c.identityProvider, "entityId of identity provider")
	gone := func(p IdentityProvider) bool { _, ok := d.s.providers[p.EntityID]; return !ok }
	return d.base.lists() != d.s.lists() || slices.ContainsFunc(d.base.providerList, gone)
}

func (d *draft) checkPeople(c *checker, all, isNew bool) {
	each(c, &d.users, all, func(old, u *User) {
		if u == nil {
			d.checkGone(c, UserPrincipal(old.ID))
			return
		}
		if u != old {
			c.user(*u)
		}
		c.of = u.UserName
		with := d.s.relations.usersNamed(u.UserName, false)
		if slices.ContainsFunc(with, func(o *User) bool {
			return o != u && d.s.share(o.IdentityProvider, u.IdentityProvider)
		}) {
			c.fail(ReasonDuplicate, "userName of user", "a unique value", u.UserName)
		}
		if isNew {
			d.checkNewName(c, u)
			d.checkOwner(c, old, u)
		}
		if old != nil && old.IdentityProvider != u.IdentityProvider {
			d.checkMoved(c, u, isNew)
		}
	})
	each(c, &d.groups, all || d.base.strays, func(old, g *Group) {
		if g == nil {
			d.checkGone(c, GroupPrincipal(old.ID))
			return
		}
		if g != old {
			c.group(*g)
		}
		if isNew {
			c.groupDetails(g)
		}
		c.of = g.Name
		with := d.s.relations.groupsNamed(g.Name, false)
		if slices.ContainsFunc(with, func(o *Group) bool {
			return o != g && d.s.share(o.IdentityProvider, g.IdentityProvider)
		}) {
			c.fail(ReasonDuplicate, "name of group", "a unique value", g.Name)
		}
		if isNew {
			d.checkGroupOwner(c, old, g)
		}
		d.checkMembers(c, g, isNew)
	})
}

// each calls check with the elements that were touched, before and after, or with all elements.
func each[T element](c *checker, e *edit[T], all bool, check func(old, now *T)) {
	for _, key := range e.touched() {
		if old, now := e.was[key], e.table.get(key); old != nil || now != nil {
			c.of = ""
			check(old, now)
		}
		if c.err != nil {
			return
		}
	}
	if !all {
		return
	}
	for now := range e.table.all() {
		if _, touched := e.was[(*now).key()]; !touched {
			c.of = ""
			check(now, now)
		}
		if c.err != nil {
			return
		}
	}
}

func (d *draft) checkMembers(c *checker, g *Group, isNew bool) {
	seen := make(map[string]bool, len(g.Members))
	for _, m := range g.Members {
		u := d.s.users.get(m)
		if u == nil {
			c.fail(ReasonDangling, "member of group", "the ID of a user", m)
		}
		unique(c, seen, m, "member of group")
		if u != nil && !d.s.share(g.IdentityProvider, u.IdentityProvider) {
			d.stray(c, g, m, isNew)
		}
	}
}

// checkGone refuses the removal of a user or a group that something still refers to.
func (d *draft) checkGone(c *checker, p Principal) {
	if p.Type == PrincipalUser {
		for _, id := range d.s.relations.groupsWith(p.ID) {
			c.of = d.s.groups.get(id).Name
			c.fail(ReasonDangling, "member of group", "the ID of a user", p.ID)
		}
	}
	want := "the ID of a " + string(p.Type)
	c.of = ""
	d.s.relations.eachAssigned(p, func(*Assignment) {
		c.fail(ReasonDangling, "principal of assignment", want, p.ID)
	})
	d.s.relations.eachApp(p, func(id string) {
		c.of = d.s.applications.get(id).Name
		c.fail(ReasonDangling, "principal of application", want, p.ID)
	})
}

func (d *draft) checkPermissions(c *checker, isNew bool) {
	each(c, &d.sets, false, func(old, p *PermissionSet) {
		if p != nil {
			c.permissionSet(*p)
			if isNew {
				c.permissionSetDetails(p)
			}
		} else if n, _ := d.s.relations.setUses.Get(old.Name); n > 0 {
			c.fail(ReasonDangling, "permission set of assignment", "the name of a permission set", old.Name)
		}
	})
	each(c, &d.accounts, false, func(old, a *Account) {
		if a != nil {
			c.account(*a)
			if isNew && a.Management {
				d.checkManagement(c, a)
			}
			return
		}
		prefix := old.ID + "/"
		for used := range d.s.assignments.from(prefix) {
			if strings.HasPrefix(used.key(), prefix) {
				c.fail(ReasonDangling, "account of assignment", "the ID of an account", old.ID)
			}
			break
		}
	})
	check := d.assignmentChecker(c)
	each(c, &d.assignments, false, func(_, a *Assignment) {
		if a != nil {
			check(*a)
		}
	})
}

func (d *draft) assignmentChecker(c *checker) func(Assignment) {
	return func(a Assignment) {
		d.principal(c, "assignment", a.Principal)
		if d.s.accounts.get(a.AccountID) == nil {
			c.fail(ReasonDangling, "account of assignment", "the ID of an account", a.AccountID)
		}
		if d.s.sets.get(a.PermissionSet) == nil {
			c.fail(ReasonDangling, "permission set of assignment", "the name of a permission set", a.PermissionSet)
		}
	}
}

func (d *draft) checkApplications(c *checker) {
	check := func(a *Application) {
		c.of = a.Name
		if _, ok := d.s.regions[a.Region]; !ok {
			c.fail(ReasonDangling, "Region of application", "a Region of the instance", a.Region)
		}
	}
	each(c, &d.applications, false, func(_, a *Application) {
		if a == nil {
			return
		}
		c.application(*a)
		check(a)
		for _, p := range a.AssignedTo {
			d.principal(c, "application", p)
		}
	})
	gone := func(r Region) bool { _, ok := d.s.regions[r.Name]; return !ok }
	if slices.ContainsFunc(d.base.regionList, gone) {
		for a := range d.s.applications.all() {
			check(a)
		}
	}
	c.of = ""
}

func (d *draft) principal(c *checker, of string, p Principal) {
	if p.Type != PrincipalUser && p.Type != PrincipalGroup {
		c.fail(ReasonInvalid, "principal type of "+of, "user or group", string(p.Type))
		return
	}
	if d.unknown(p) {
		c.fail(ReasonDangling, "principal of "+of, "the ID of a "+string(p.Type), p.ID)
	}
}
