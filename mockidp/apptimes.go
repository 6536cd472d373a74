package mockidp

import (
	"reflect"
	"slices"
	"time"
)

func (st *state) noteApps(old *state, now time.Time) {
	before := map[string]*App{}
	for _, a := range old.apps {
		before[a.ID] = a
	}
	st.times.apps = map[string]*appTimes{}
	for _, a := range st.apps {
		was := before[a.ID]
		t := &appTimes{AppTimes: AppTimes{now, now}}
		if was != nil {
			*t = *old.times.apps[a.ID]
			if st.keyFor(a) != old.keyFor(was) || !sameApp(was, a) {
				t.Updated = now
			}
		}
		var users, groups []string
		for _, login := range a.Users {
			users = append(users, st.user(login).ID) // putApp saw to it that there is one
		}
		for _, name := range a.Groups {
			groups = append(groups, st.groupID(name))
		}
		t.users, t.groups = since(t.users, users, now), since(t.groups, groups, now)
		st.times.apps[a.ID] = t
	}
}

// groupID is a group's ID, Everyone's too.
func (st *state) groupID(name string) string {
	if name == Everyone {
		return everyone.ID
	}
	return st.groups[name].ID
}

// sameApp leaves the assignments out: they have times of their own.
func sameApp(a, b *App) bool {
	x, y := *a, *b
	x.Users, x.Groups, y.Users, y.Groups = nil, nil, nil, nil
	return reflect.DeepEqual(x, y)
}

// assigned is since when an app has been a user's, by whichever way was first,
// and when that changed last.
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

func latest(list ...time.Time) time.Time {
	return slices.MaxFunc(list, time.Time.Compare)
}
