package mockidp

import (
	"maps"
	"slices"
	"time"
)

// times tell when things came to be and when they changed, as Okta's objects
// do. They are found by comparing two states, so that no way of changing
// something can forget them. What the maps hold is replaced, never written to.
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

// note compares the state with the one before it.
func (st *state) note(old *state, now time.Time) {
	t := times{users: maps.Clone(old.times.users), groups: old.times.groups, apps: old.times.apps}
	if t.users == nil { // the beginning
		t = times{users: map[string]*userTimes{}, groups: map[string]GroupTimes{everyone.ID: {now, now, now}}, apps: map[string]*appTimes{}}
	}
	st.times = t
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
	for key, was := range old.users {
		if st.users[key] == was || st.userByID(was.ID) != nil {
			continue
		}
		st.noteMembers(now, everyone.ID)
		st.noteMembers(now, slices.Collect(maps.Keys(st.times.users[was.ID].joined))...)
		delete(st.times.users, was.ID)
	}
	for key, u := range st.users {
		if old.users[key] == u {
			continue
		}
		if was := old.userByID(u.ID); was != nil {
			st.noteUser(was, u, now)
			continue
		}
		t := &userTimes{UserTimes: UserTimes{Created: now, Updated: now, StatusChanged: now, PasswordChanged: now, Activated: now}}
		if u.Status == Staged {
			t.Activated, t.StatusChanged = time.Time{}, time.Time{}
		}
		t.joined = since(nil, st.joinedBy(u), now)
		st.noteMembers(now, everyone.ID)
		st.noteMembers(now, slices.Collect(maps.Keys(t.joined))...)
		st.times.users[u.ID] = t
	}
}

// noteUser is about somebody who was there already. Groups are no part of the
// profile: joining one is the group's lastMembershipUpdated.
func (st *state) noteUser(was, u *User, now time.Time) {
	t := *st.times.users[u.ID]
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
	joined := since(t.joined, st.joinedBy(u), now)
	for id := range joined {
		if _, before := t.joined[id]; !before {
			st.noteMembers(now, id)
		}
	}
	for id := range t.joined {
		if _, still := joined[id]; !still {
			st.noteMembers(now, id)
		}
	}
	t.joined = joined
	st.times.users[u.ID] = &t
}

// joinedBy are the IDs of the user's groups, without Everyone.
func (st *state) joinedBy(u *User) (ids []string) {
	for _, name := range u.Groups {
		if g, there := st.groups[name]; there {
			ids = append(ids, g.ID)
		}
	}
	return ids
}

// since gives each ID the time that was known before, or now.
func since(before map[string]time.Time, ids []string, now time.Time) map[string]time.Time {
	out := make(map[string]time.Time, len(ids))
	for _, id := range ids {
		at, known := before[id]
		if !known {
			at = now
		}
		out[id] = at
	}
	return out
}

// noteMembers is for groups whose members changed. One that is gone has no times.
func (st *state) noteMembers(now time.Time, groupIDs ...string) {
	for _, id := range groupIDs {
		if t, there := st.times.groups[id]; there {
			t.Membership = now
			st.times.groups[id] = t
		}
	}
}

// sameUser leaves the groups out.
func sameUser(a, b *User) bool {
	return a.ID == b.ID && a.Login == b.Login && a.Password == b.Password && a.SecondFactor == b.SecondFactor && a.Status == b.Status &&
		a.FirstName == b.FirstName && a.LastName == b.LastName && a.Email == b.Email && maps.EqualFunc(a.Attributes, b.Attributes, slices.Equal[[]string])
}
