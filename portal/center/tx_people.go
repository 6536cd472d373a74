package center

import (
	"cmp"
	"slices"
)

// PutUser adds a user, or replaces the one with the same ID. Whose access ended
// in this update can't have it again before the next. Primary only.
func (t *Tx) PutUser(u User) error {
	if err := t.primaryOnly("write of a user"); err != nil {
		return err
	}
	u.ID = cmp.Or(u.ID, u.UserName)
	if u.Inactive {
		t.ends(u.ID)
	}
	upsert(&t.data.Users, u, func(o User) bool { return o.ID == u.ID })
	return nil
}

// RemoveUser removes a user from the instance, from all groups and from all
// that is assigned to the user. Primary only.
func (t *Tx) RemoveUser(id string) error {
	if err := t.primaryOnly("removal of a user"); err != nil {
		return err
	}
	t.ends(id)
	if err := drop(t, "user", &t.data.Users, id, func(o User) bool { return o.ID == id }); err != nil {
		return err
	}
	for i := range t.data.Groups {
		g := &t.data.Groups[i]
		g.Members = slices.DeleteFunc(g.Members, func(m string) bool { return m == id })
	}
	t.forget(UserPrincipal(id))
	return nil
}

// ends notes that a user's access ends here, if there is any.
func (t *Tx) ends(id string) {
	if slices.ContainsFunc(t.data.Users, func(o User) bool { return o.ID == id && !o.Inactive }) {
		t.ended = append(t.ended, id)
	}
}

// back refuses an update at whose end somebody has access again whose access
// ended in it. Before and after are the same then, and whoever ends sessions
// would hear of nothing.
func (t *Tx) back() error {
	for _, u := range t.data.Users {
		if !u.Inactive && slices.Contains(t.ended, u.ID) {
			return &Error{Reason: ReasonTwoUpdates, Rule: "end of a user's access", Want: "no new access in the same update", Got: u.ID}
		}
	}
	return nil
}

// PutGroup adds a group, or replaces the one with the same ID. Primary only.
func (t *Tx) PutGroup(g Group) error {
	g.ID = cmp.Or(g.ID, g.Name)
	g.Members = slices.Clone(g.Members)
	return write(t, "group", &t.data.Groups, g, func(o Group) bool { return o.ID == g.ID })
}

// RemoveGroup removes a group and all that is assigned to it. Primary only.
func (t *Tx) RemoveGroup(id string) error {
	if err := remove(t, "group", &t.data.Groups, id, func(o Group) bool { return o.ID == id }); err != nil {
		return err
	}
	t.forget(GroupPrincipal(id))
	return nil
}

// forget takes back all that was assigned to a principal that is gone. An ID
// that comes back later must not come back with its old access. Applications
// of other Regions lose the principal too: this removes, and grants nothing.
func (t *Tx) forget(p Principal) {
	t.data.Assignments = slices.DeleteFunc(t.data.Assignments, func(a Assignment) bool { return a.Principal == p })
	for i := range t.data.Applications {
		a := &t.data.Applications[i]
		a.AssignedTo = slices.DeleteFunc(a.AssignedTo, func(o Principal) bool { return o == p })
	}
}
