package center

import (
	"cmp"
	"slices"
	"time"
)

// Data describes a whole instance, as a literal or as JSON. It must have a Region; everything else
// may be empty.
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
	d.Regions = cloneRegions(d.Regions)
	d.Users = slices.Clone(d.Users)
	d.Groups = slices.Clone(d.Groups)
	d.PermissionSets = slices.Clone(d.PermissionSets)
	d.Accounts = slices.Clone(d.Accounts)
	d.Assignments = slices.Clone(d.Assignments)
	d.Applications = slices.Clone(d.Applications)
	for i, g := range d.Groups {
		d.Groups[i].Members = slices.Clone(g.Members)
	}
	for i, a := range d.Applications {
		d.Applications[i].AssignedTo = slices.Clone(a.AssignedTo)
	}
	return d
}

// defaults fills in the defaults of zero values.
func (d *Data) defaults() {
	for i, r := range d.Regions {
		d.Regions[i].Status = cmp.Or(r.Status, RegionActive)
	}
	for i, u := range d.Users {
		d.Users[i].ID = cmp.Or(u.ID, u.UserName)
	}
	for i, g := range d.Groups {
		d.Groups[i].ID = cmp.Or(g.ID, g.Name)
	}
	for i, p := range d.PermissionSets {
		d.PermissionSets[i].SessionDuration = cmp.Or(p.SessionDuration, time.Hour)
	}
	for i, a := range d.Applications {
		d.Applications[i].ID = cmp.Or(a.ID, a.Name)
	}
}

func cloneRegions(list []Region) []Region {
	out := slices.Clone(list)
	for i, r := range out {
		out[i] = cloneRegion(r)
	}
	return out
}

func cloneRegion(r Region) Region {
	r.PortalURLs = slices.Clone(r.PortalURLs)
	r.ACSURLs = slices.Clone(r.ACSURLs)
	return r
}
