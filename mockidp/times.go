package mockidp

import (
	"cmp"
	"maps"
	"reflect"
	"slices"
	"time"
)

// times records when objects were created and changed, as Okta's objects do. They are found by comparing two states,
// so that no way of changing something can miss them. The values of the maps are replaced, never written to.
type times struct {
	users  map[string]*userTimes // by User.ID
	groups map[string]GroupTimes // by Group.ID, with Everyone's
	apps   map[string]*appTimes  // by App.ID
}

type userTimes struct {
	UserTimes
	joined map[string]time.Time // by Group.ID, without Everyone
}

type appTimes struct {
	AppTimes
	users, groups map[string]time.Time // when they were assigned, by their IDs
}

func (st *state) note(old *state, now time.Time) {
	st.times = times{users: maps.Clone(old.times.users), groups: old.times.groups, apps: old.times.apps}
	if st.times.users == nil { // the first state
		st.times = times{users: map[string]*userTimes{}, groups: map[string]GroupTimes{everyone.ID: {now, now, now}}}
	}
	st.noteGroups(old, now)
	st.noteUsers(old, now)
	if st.signing != old.signing || !slices.Equal(st.apps, old.apps) {
		st.noteApps(old, now)
	}
}

func (st *state) noteGroups(old *state, now time.Time) {
	before := st.times.groups
	st.times.groups = map[string]GroupTimes{everyone.ID: before[everyone.ID]}
	for name, g := range st.groups {
		t, known := before[g.ID]
		if !known {
			t.Created, t.Membership = now, now
		}
		if old.groups[name] != g {
			t.Updated = now
		}
		st.times.groups[g.ID] = t
	}
}

func (st *state) noteUsers(old *state, now time.Time) {
	changed := map[string]bool{} // by User.ID
	for key, u := range old.users {
		if st.users[key] != u {
			changed[u.ID] = true
		}
	}
	for key, u := range st.users {
		if old.users[key] != u {
			changed[u.ID] = true
		}
	}
	for id := range changed {
		st.noteUser(id, old.userByID(id), st.userByID(id), now)
	}
}

// noteUser compares a user, who may be nil before or now. Joining a group changes the group's Membership.
func (st *state) noteUser(id string, was, u *User, now time.Time) {
	t := userTimes{}
	if was != nil {
		t = *st.times.users[id]
	}
	before := t.joined
	switch {
	case u == nil:
		t.joined = nil
		delete(st.times.users, id)
	case was == nil:
		t.UserTimes = UserTimes{Created: now, Updated: now, StatusChanged: now, PasswordChanged: now, Activated: now}
		if u.Status == Staged {
			t.Activated, t.StatusChanged = time.Time{}, time.Time{}
		}
	default:
		t.changed(was, u, now)
	}
	if u != nil {
		var groups []string
		for _, name := range u.Groups {
			if name != Everyone {
				groups = append(groups, st.groupID(name))
			}
		}
		t.joined = since(before, groups, now)
		st.times.users[id] = &t
	}
	for _, group := range slices.Concat(slices.Collect(maps.Keys(before)), slices.Collect(maps.Keys(t.joined))) {
		if _, member := t.joined[group]; !member || before[group] != t.joined[group] {
			st.noteMembers(group, now)
		}
	}
	if was == nil || u == nil {
		st.noteMembers(everyone.ID, now)
	}
}

func (t *userTimes) changed(was, u *User, now time.Time) {
	if u.Status != was.Status {
		t.StatusChanged = now
		if u.Status == Active && (was.Status == Staged || was.Status == Deprovisioned) {
			t.Activated = now
		}
	}
	if u.Password != was.Password {
		t.PasswordChanged = now
	}
	if !sameUser(was, u) {
		t.Updated = now
	}
}

// noteMembers records that a group's members changed, unless the group is gone.
func (st *state) noteMembers(groupID string, now time.Time) {
	if t, ok := st.times.groups[groupID]; ok {
		t.Membership = now
		st.times.groups[groupID] = t
	}
}

func (st *state) noteApps(old *state, now time.Time) {
	before := map[string]*App{}
	for _, a := range old.apps {
		before[a.ID] = a
	}
	st.times.apps = map[string]*appTimes{}
	for _, a := range st.apps {
		t := &appTimes{AppTimes: AppTimes{now, now}}
		if was := before[a.ID]; was != nil {
			*t = *old.times.apps[a.ID]
			if st.keyFor(a) != old.keyFor(was) || !sameApp(was, a) {
				t.Updated = now
			}
		}
		var users, groups []string
		for _, login := range a.Users {
			users = append(users, st.user(login).ID) // putApp made sure that the user exists
		}
		for _, name := range a.Groups {
			groups = append(groups, st.groupID(name))
		}
		t.users, t.groups = since(t.users, users, now), since(t.groups, groups, now)
		st.times.apps[a.ID] = t
	}
}

// since gives each ID its earlier time, or now.
func since(before map[string]time.Time, ids []string, now time.Time) map[string]time.Time {
	out := make(map[string]time.Time, len(ids))
	for _, id := range ids {
		out[id] = cmp.Or(before[id], now)
	}
	return out
}

// sameUser ignores the groups.
func sameUser(a, b *User) bool {
	return a.ID == b.ID && a.Login == b.Login && a.Password == b.Password && a.SecondFactor == b.SecondFactor &&
		a.Status == b.Status && a.FirstName == b.FirstName && a.LastName == b.LastName && a.Email == b.Email &&
		maps.EqualFunc(a.Attributes, b.Attributes, slices.Equal[[]string])
}

// sameApp ignores the assignments, which have times of their own.
func sameApp(a, b *App) bool {
	x, y := *a, *b
	x.Users, x.Groups, y.Users, y.Groups = nil, nil, nil, nil
	return reflect.DeepEqual(x, y)
}

// assigned returns since when an app is assigned to a user, directly or by a group, and when that last changed.
func (st *state) assigned(a *App, u *User) (created, updated time.Time) {
	at, ut := st.times.apps[a.ID], st.times.users[u.ID]
	updated, direct := at.users[u.ID]
	created = updated
	for _, name := range a.Groups {
		if !u.In(name) {
			continue
		}
		id := st.groupID(name)
		since := latest(at.groups[id], st.times.groups[id].Created, ut.Created, ut.joined[id])
		if created.IsZero() || since.Before(created) {
			created = since
		}
	}
	if !direct {
		updated = created
	}
	return latest(created, ut.Created), latest(updated, ut.Created)
}

func latest(list ...time.Time) time.Time { return slices.MaxFunc(list, time.Time.Compare) }
