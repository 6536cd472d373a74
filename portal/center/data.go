package center

import (
	"cmp"
	"slices"
)

// Data is everything an instance holds, in a form for literals and for JSON.
// The zero value lacks a Region and is refused; all else may be empty.
type Data struct {
	// Regions are ordered, and the first is the primary.
	Regions        []Region        `json:"regions"`
	Users          []User          `json:"users,omitempty"`
	Groups         []Group         `json:"groups,omitempty"`
	PermissionSets []PermissionSet `json:"permissionSets,omitempty"`
	Accounts       []Account       `json:"accounts,omitempty"`
	Assignments    []Assignment    `json:"assignments,omitempty"`
	Applications   []Application   `json:"applications,omitempty"`
}

// Clone returns a copy that shares no memory with d.
func (d Data) Clone() Data {
	out := Data{
		Regions:        slices.Clone(d.Regions),
		Users:          slices.Clone(d.Users),
		Groups:         slices.Clone(d.Groups),
		PermissionSets: slices.Clone(d.PermissionSets),
		Accounts:       slices.Clone(d.Accounts),
		Assignments:    slices.Clone(d.Assignments),
		Applications:   slices.Clone(d.Applications),
	}
	for i, r := range out.Regions {
		out.Regions[i] = cloneRegion(r)
	}
	for i, g := range out.Groups {
		out.Groups[i].Members = slices.Clone(g.Members)
	}
	for i, a := range out.Applications {
		out.Applications[i].AssignedTo = slices.Clone(a.AssignedTo)
	}
	return out
}

// defaults fills in what a zero value stands for, so that no reader has to.
func (d *Data) defaults() {
	for i := range d.Regions {
		d.Regions[i].Status = cmp.Or(d.Regions[i].Status, RegionActive)
	}
	for i := range d.Users {
		u := &d.Users[i]
		u.ID = cmp.Or(u.ID, u.UserName)
	}
	for i := range d.Groups {
		g := &d.Groups[i]
		g.ID = cmp.Or(g.ID, g.Name)
	}
	for i := range d.PermissionSets {
		p := &d.PermissionSets[i]
		p.SessionDuration = cmp.Or(p.SessionDuration, defaultSessionDuration)
	}
	for i := range d.Applications {
		a := &d.Applications[i]
		a.ID = cmp.Or(a.ID, a.Name)
	}
}

func cloneRegion(r Region) Region {
	r.PortalURLs = slices.Clone(r.PortalURLs)
	r.ACSURLs = slices.Clone(r.ACSURLs)
	return r
}
