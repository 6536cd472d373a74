package center

import (
	"reflect"
	"slices"
	"time"
)

// stamp makes the draft set the dates of all that is put from here on. A Tx does and Apply doesn't: only the writer's
// clock counts.
func (d *draft) stamp(now time.Time) {
	now = instant(now)
	d.users.stamp = func(old, next *User) {
		if old == nil {
			next.Dates = Dates{now, now}
			return
		}
		next.Dates = old.Dates
		next.update(*next != *old, now)
	}
	d.groups.stamp = func(old, next *Group) {
		if old == nil {
			next.Dates = Dates{now, now}
			return
		}
		next.Dates = old.Dates
		was, is := *old, *next
		was.Members, is.Members = nil, nil // a nil list equals an empty one
		next.update(!slices.Equal(old.Members, next.Members) || !reflect.DeepEqual(was, is), now)
	}
	d.sets.stamp = func(old, next *PermissionSet) {
		if old == nil {
			next.Dates = Dates{now, now}
			return
		}
		next.Dates = old.Dates
		next.update(!reflect.DeepEqual(*next, *old), now)
	}
}

// update sets UpdatedAt of an element that was changed. A clock that was set back doesn't make it earlier.
func (d *Dates) update(changed bool, now time.Time) {
	if changed && now.After(d.UpdatedAt) {
		d.UpdatedAt = now
	}
}

// Founded returns a copy of the data of a new instance, with the date of its creation wherever there is none. A Journal
// that stores it calls this once. Elements that are added later have the date of the update.
func (d Data) Founded(at time.Time) Data {
	d, at = d.Clone(), instant(at)
	found := func(dates *Dates) {
		if dates.CreatedAt.IsZero() {
			dates.CreatedAt = at
		}
		if dates.UpdatedAt.Before(dates.CreatedAt) {
			dates.UpdatedAt = dates.CreatedAt
		}
	}
	if d.Instance.CreatedAt.IsZero() {
		d.Instance.CreatedAt = at
	}
	for i := range d.Regions {
		if d.Regions[i].AddedDate.IsZero() {
			d.Regions[i].AddedDate = at
		}
	}
	for i := range d.Users {
		found(&d.Users[i].Dates)
	}
	for i := range d.Groups {
		found(&d.Groups[i].Dates)
	}
	for i := range d.PermissionSets {
		found(&d.PermissionSets[i].Dates)
	}
	return d
}
