package center

import "slices"

// PutRegion adds a Region at the end, or replaces the one with its name.
// Primary only.
func (t *Tx) PutRegion(r Region) error {
	if err := t.primaryOnly("write of a Region"); err != nil {
		return err
	}
	t.data.Regions = upsert(t.data.Regions, cloneRegion(r), func(o Region) bool { return o.Name == r.Name })
	return nil
}

// RemoveRegion takes a Region out. The primary can't be removed, nor a Region
// that applications are deployed in. Primary only.
func (t *Tx) RemoveRegion(name string) error {
	if err := t.primaryOnly("removal of a Region"); err != nil {
		return err
	}
	if name == t.data.Regions[0].Name {
		return t.refuse(&Error{Reason: ReasonPrimaryFixed, Rule: "removal of a Region", Want: "an additional Region", Got: name})
	}
	var err error
	t.data.Regions, err = drop(t, t.data.Regions, "Region", name, func(o Region) bool { return o.Name == name })
	return err
}

// PutPermissionSet adds a permission set, or replaces the one with its name.
// Primary only.
func (t *Tx) PutPermissionSet(p PermissionSet) error {
	if err := t.primaryOnly("write of a permission set"); err != nil {
		return err
	}
	t.data.PermissionSets = upsert(t.data.PermissionSets, p, func(o PermissionSet) bool { return o.Name == p.Name })
	return nil
}

// RemovePermissionSet removes a permission set that nothing assigns any more.
// Primary only.
func (t *Tx) RemovePermissionSet(name string) error {
	if err := t.primaryOnly("removal of a permission set"); err != nil {
		return err
	}
	var err error
	t.data.PermissionSets, err = drop(t, t.data.PermissionSets, "permission set", name, func(o PermissionSet) bool { return o.Name == name })
	return err
}

// PutAccount adds an account, or replaces the one with its ID. Primary only.
func (t *Tx) PutAccount(a Account) error {
	if err := t.primaryOnly("write of an account"); err != nil {
		return err
	}
	t.data.Accounts = upsert(t.data.Accounts, a, func(o Account) bool { return o.ID == a.ID })
	return nil
}

// RemoveAccount removes an account that nothing is assigned in any more.
// Primary only.
func (t *Tx) RemoveAccount(id string) error {
	if err := t.primaryOnly("removal of an account"); err != nil {
		return err
	}
	var err error
	t.data.Accounts, err = drop(t, t.data.Accounts, "account", id, func(o Account) bool { return o.ID == id })
	return err
}

// Assign gives a principal a permission set in an account. To assign it again
// changes nothing. Primary only.
func (t *Tx) Assign(a Assignment) error {
	if err := t.primaryOnly("write of an assignment"); err != nil {
		return err
	}
	t.data.Assignments = upsert(t.data.Assignments, a, func(o Assignment) bool { return o == a })
	return nil
}

// Unassign takes an assignment back. Primary only.
func (t *Tx) Unassign(a Assignment) error {
	if err := t.primaryOnly("removal of an assignment"); err != nil {
		return err
	}
	var err error
	t.data.Assignments, err = drop(t, t.data.Assignments, "assignment", a.Principal.ID+" "+a.AccountID+" "+a.PermissionSet, func(o Assignment) bool { return o == a })
	return err
}

// PutApplication adds an application, or replaces the one with its ID. The
// application's own Region only, the primary included: an application that
// was deployed in an additional Region can't be managed in the primary, and
// does not move.
func (t *Tx) PutApplication(a Application) error {
	if a.ID == "" {
		a.ID = a.Name
	}
	if old := t.application(a.ID); old >= 0 {
		if err := t.ownRegion("write of application "+quote(a.Name), t.data.Applications[old].Region); err != nil {
			return err
		}
	}
	if err := t.ownRegion("write of application "+quote(a.Name), a.Region); err != nil {
		return err
	}
	a.AssignedTo = slices.Clone(a.AssignedTo)
	t.data.Applications = upsert(t.data.Applications, a, func(o Application) bool { return o.ID == a.ID })
	return nil
}

// RemoveApplication removes an application. Its own Region only.
func (t *Tx) RemoveApplication(id string) error {
	if i := t.application(id); i >= 0 {
		if err := t.ownRegion("removal of application "+quote(id), t.data.Applications[i].Region); err != nil {
			return err
		}
	}
	var err error
	t.data.Applications, err = drop(t, t.data.Applications, "application", id, func(o Application) bool { return o.ID == id })
	return err
}

func (t *Tx) application(id string) int {
	return slices.IndexFunc(t.data.Applications, func(o Application) bool { return o.ID == id })
}
