package center

import (
	"cmp"
	"slices"
)

// PutRegion adds a Region at the end, or replaces the one with its name.
// Primary only.
func (t *Tx) PutRegion(r Region) error {
	return write(t, "Region", &t.data.Regions, cloneRegion(r), func(o Region) bool { return o.Name == r.Name })
}

// RemoveRegion takes a Region out. The primary can't be removed, nor a Region
// that applications are deployed in. Primary only.
func (t *Tx) RemoveRegion(name string) error {
	if err := t.primaryOnly("removal of Region"); err != nil {
		return err
	}
	if name == t.data.Regions[0].Name {
		return t.refuse(&Error{Reason: ReasonPrimaryFixed, Rule: "removal of Region", Want: "an additional Region", Got: name})
	}
	return drop(t, "Region", &t.data.Regions, name, func(o Region) bool { return o.Name == name })
}

// PutPermissionSet adds a permission set, or replaces the one with its name.
// Primary only.
func (t *Tx) PutPermissionSet(p PermissionSet) error {
	return write(t, "permission set", &t.data.PermissionSets, p, func(o PermissionSet) bool { return o.Name == p.Name })
}

// RemovePermissionSet removes a permission set that nothing assigns any more.
// Primary only.
func (t *Tx) RemovePermissionSet(name string) error {
	return remove(t, "permission set", &t.data.PermissionSets, name, func(o PermissionSet) bool { return o.Name == name })
}

// PutAccount adds an account, or replaces the one with its ID. Primary only.
func (t *Tx) PutAccount(a Account) error {
	return write(t, "account", &t.data.Accounts, a, func(o Account) bool { return o.ID == a.ID })
}

// RemoveAccount removes an account that nothing is assigned in any more.
// Primary only.
func (t *Tx) RemoveAccount(id string) error {
	return remove(t, "account", &t.data.Accounts, id, func(o Account) bool { return o.ID == id })
}

// Assign gives a principal a permission set in an account. To assign it again
// changes nothing. Primary only.
func (t *Tx) Assign(a Assignment) error {
	return write(t, "assignment", &t.data.Assignments, a, func(o Assignment) bool { return o == a })
}

// Unassign takes an assignment back. Primary only.
func (t *Tx) Unassign(a Assignment) error {
	return remove(t, "assignment", &t.data.Assignments, a.Principal.ID+" "+a.AccountID+" "+a.PermissionSet, func(o Assignment) bool { return o == a })
}

// PutApplication adds an application, or replaces the one with its ID. The
// application's own Region only, the primary included: an application that
// was deployed in an additional Region can't be managed in the primary, and
// does not move.
func (t *Tx) PutApplication(a Application) error {
	a.ID = cmp.Or(a.ID, a.Name)
	if old := t.application(a.ID); old >= 0 {
		if err := t.ownRegion("write of application "+quote(a.Name), t.data.Applications[old].Region); err != nil {
			return err
		}
	}
	if err := t.ownRegion("write of application "+quote(a.Name), a.Region); err != nil {
		return err
	}
	a.AssignedTo = slices.Clone(a.AssignedTo)
	upsert(&t.data.Applications, a, func(o Application) bool { return o.ID == a.ID })
	return nil
}

// RemoveApplication removes an application. Its own Region only.
func (t *Tx) RemoveApplication(id string) error {
	if i := t.application(id); i >= 0 {
		if err := t.ownRegion("removal of application "+quote(id), t.data.Applications[i].Region); err != nil {
			return err
		}
	}
	return drop(t, "application", &t.data.Applications, id, func(o Application) bool { return o.ID == id })
}

func (t *Tx) application(id string) int {
	return slices.IndexFunc(t.data.Applications, func(o Application) bool { return o.ID == id })
}
