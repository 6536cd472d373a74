package center

import "slices"

// parkedApplication is an application of a Region that was removed. The primary keeps it for the case that the Region
// is added again: the Region's own log is erased.
type parkedApplication struct{ Application }

func (parkedApplication) kind() Kind { return KindParkedApplication }

func cloneParked(a parkedApplication) parkedApplication {
	return parkedApplication{cloneApplication(a.Application)}
}

// ParkedApplications returns the applications that come back when a Region is added again, sorted by ID. Their users
// don't see them until then. A user or group that was removed meanwhile is not assigned any more.
func (s *Snapshot) ParkedApplications(region string) (out []Application) {
	for a := range s.parked.all() {
		if a.Region == region {
			out = append(out, cloneApplication(a.Application))
		}
	}
	return out
}

func (s *Snapshot) allParked() (out []Application) {
	for _, a := range copied(&s.parked, cloneParked) {
		out = append(out, a.Application)
	}
	return out
}

// EndRemoval ends the removal of a Region with status REMOVING: the Region leaves the list, and its applications are
// parked. Package replica calls it, and then erases the Region's data everywhere. Primary only.
func (t *Tx) EndRemoval(name string) error {
	if err := t.primaryOnly("removal", KindRegion); err != nil {
		return err
	}
	if r, ok := t.d.s.Region(name); ok && r.Status != RegionRemoving {
		return t.refuse(&Error{Reason: ReasonConflict, Rule: "status of Region " + quote(name),
			Want: string(RegionRemoving), Got: string(r.Status)})
	}
	for _, a := range t.d.s.ApplicationsIn(name) {
		t.d.parked.put(parkedApplication{a})
		t.d.applications.drop(a.ID)
	}
	return t.RemoveRegion(name)
}

// ActivateRegion makes a Region with status ADDING active, and forgets its parked applications: the Region has brought
// them back before. Package replica calls it. A Region with another status is left as it is. Primary only.
func (t *Tx) ActivateRegion(name string) error {
	if err := t.primaryOnly("write", KindRegion); err != nil {
		return err
	}
	r, ok := t.d.s.Region(name)
	if !ok || r.Status != RegionAdding {
		return nil
	}
	for _, a := range t.d.s.ParkedApplications(name) {
		t.d.parked.drop(a.ID)
	}
	r.Status = RegionActive
	return t.PutRegion(r)
}

// unpark removes a principal that is removed from parked applications.
func (t *Tx) unpark(p Principal) {
	var with []parkedApplication
	for a := range t.d.s.parked.all() {
		if slices.Contains(a.AssignedTo, p) {
			with = append(with, *a)
		}
	}
	for _, a := range with {
		t.d.parked.put(parkedApplication{without(a.Application, func(o Principal) bool { return o == p })})
	}
}
