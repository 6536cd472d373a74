package center

import "fmt"

// newSnapshot takes ownership of d, checks it and indexes it. With a draft's finish it makes every snapshot, so no
// invalid state can exist. isNew says that the rules for new elements apply, too.
func newSnapshot(data Data, isNew bool) (*Snapshot, error) {
	d, c := newDraft(emptySnapshot()), &checker{}
	regions := make([]Region, 0, len(data.Regions))
	for _, r := range data.Regions {
		regions = append(regions, defaultedRegion(r))
	}
	d.setRegions(regions)
	d.setMetadata(data.Instance)
	d.setProviders(data.IdentityProviders)
	fill(c, &d.users, data.Users, c.user, "ID of user")
	fill(c, &d.groups, data.Groups, c.group, "ID of group")
	fill(c, &d.sets, data.PermissionSets, c.permissionSet, "name of permission set")
	fill(c, &d.accounts, data.Accounts, c.account, "account ID")
	fill(c, &d.assignments, data.Assignments, d.assignmentChecker(c), "assignment")
	fill(c, &d.applications, data.Applications, c.application, "ID of application")
	fill(c, &d.federations, data.Federations, func(Federation) {}, "entityId of federation")
	parked := make([]parkedApplication, len(data.Parked))
	for i, a := range data.Parked {
		parked[i] = parkedApplication{a}
	}
	fill(c, &d.parked, parked, func(parkedApplication) {}, "ID of parked application")
	fill(c, &d.rotations, data.OutOfRotation, func(Rotation) {}, "Region of rotation")
	if len(data.Residency) > 0 {
		d.residency.put(newResidency(data.Residency))
	}
	if c.err != nil {
		return nil, c.err
	}
	return d.finish(isNew)
}

// fill puts a list into a draft, and refuses duplicate keys.
func fill[T element](c *checker, e *edit[T], list []T, check func(T), what string) {
	for _, v := range list {
		v = e.defaulted(v)
		if e.table.get(v.key()) == nil {
			e.put(v)
			continue
		}
		check(v) // an invalid assignment can have the key of a valid one
		c.of = ""
		c.fail(ReasonDuplicate, what, "a unique value", v.key())
		return
	}
}

// list checks a short list.
func list[T element](c *checker, list []T, check func(T), what string) {
	seen := make(map[string]bool, len(list))
	for _, v := range list {
		c.of = ""
		check(v)
		unique(c, seen, v.key(), what)
	}
	c.of = ""
}

func unique[K comparable](c *checker, seen map[K]bool, key K, what string) {
	if seen[key] {
		c.fail(ReasonDuplicate, what, "a unique value", fmt.Sprint(key))
	}
	seen[key] = true
}
