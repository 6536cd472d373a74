package mockidp

import (
	"cmp"
	"maps"
	"slices"
	"time"
)

// Snapshot is the state of the Server at one moment: users, groups, apps, keys, and their times. It never changes,
// and its methods return copies.
type Snapshot struct {
	s  *Server
	st *state
}

// Snapshot returns the current state of the Server.
func (s *Server) Snapshot() Snapshot { return Snapshot{s, s.state.Load()} }

// Changed returns a channel that is closed at the next change. Call it before Snapshot, so that no change is missed
// between them.
func (s *Server) Changed() <-chan struct{} { return s.changed.wait() }

// Users returns all users, by login.
func (v Snapshot) Users() []User {
	var out []User
	for _, key := range slices.Sorted(maps.Keys(v.st.users)) {
		out = append(out, v.st.users[key].clone())
	}
	return out
}

// User returns the user with a login.
func (v Snapshot) User(login string) (User, bool) { return copied(v.st.user(login)) }

// UserByID returns the user with an ID.
func (v Snapshot) UserByID(id string) (User, bool) { return copied(v.st.userByID(id)) }

func copied[T interface{ clone() T }](p *T) (zero T, ok bool) {
	if p == nil {
		return zero, false
	}
	return (*p).clone(), true
}

// Groups returns the groups by name, without Everyone.
func (v Snapshot) Groups() []Group {
	return slices.SortedFunc(maps.Values(v.st.groups), func(a, b Group) int { return cmp.Compare(a.Name, b.Name) })
}

// Group returns the group with a name, also Everyone.
func (v Snapshot) Group(name string) (Group, bool) {
	if name == Everyone {
		return everyone, true
	}
	g, ok := v.st.groups[name]
	return g, ok
}

// GroupByID returns the group with an ID, also Everyone.
func (v Snapshot) GroupByID(id string) (Group, bool) { return v.st.groupByID(id) }

// Apps returns all apps, in the order of the dashboard, with defaults filled in.
func (v Snapshot) Apps() []App {
	var out []App
	for _, a := range v.st.apps {
		out = append(out, a.clone())
	}
	return out
}

// App returns the app with an ID.
func (v Snapshot) App(id string) (App, bool) {
	a, _ := v.st.app(id)
	return copied(a)
}

// TileURL returns where an app's tile leads, as Server.TileURL does; "" if there is no such app.
func (v Snapshot) TileURL(appID string) string {
	a, err := v.st.app(appID)
	if err != nil {
		return ""
	}
	return v.s.tileURL(a)
}

// Metadata returns an app's metadata, as Server.Metadata does, or metadata with only one of the app's keys. keyID ""
// is all published keys.
func (v Snapshot) Metadata(appID, keyID string) ([]byte, error) {
	a, err := v.st.samlApp(appID)
	if err != nil {
		return nil, err
	}
	if keyID == "" {
		return v.s.metadata(v.st, a)
	}
	k := findKey(v.st.ring(a), keyID)
	if k == nil {
		return nil, noSuchKey(keyID)
	}
	return v.s.oktaMetadata(a, []*signingKey{k})
}

// Keys returns the Server's keys, as Server.Keys does.
func (v Snapshot) Keys() []Key { return publicKeys(v.st.keys, v.st.signing) }

// AppKeys returns the keys of an app, as Server.AppKeys does.
func (v Snapshot) AppKeys(appID string) ([]Key, error) {
	a, err := v.st.samlApp(appID)
	if err != nil {
		return nil, err
	}
	return publicKeys(v.st.ring(a), v.st.keyFor(a).id), nil
}

// SigningKey returns the key that signs for an app. It is published even if AppKeys lacks it: the app may have retired
// it before SignWith made it the Server's.
func (v Snapshot) SigningKey(appID string) (Key, error) {
	a, err := v.st.samlApp(appID)
	if err != nil {
		return Key{}, err
	}
	k := v.st.keyFor(a)
	return k.public(k.id), nil
}

// UserTimes holds the times of a user; zero is never.
type UserTimes struct {
	Created, Updated               time.Time // Updated covers everything except groups
	Activated                      time.Time
	StatusChanged, PasswordChanged time.Time
}

// GroupTimes holds the times of a group. Membership is when a user last joined or left.
type GroupTimes struct{ Created, Updated, Membership time.Time }

// AppTimes holds the times of an app. Updated covers everything except assignments.
type AppTimes struct{ Created, Updated time.Time }

// UserTimes returns the times of the user with an ID; zero if there is none.
func (v Snapshot) UserTimes(id string) UserTimes {
	if t := v.st.times.users[id]; t != nil {
		return t.UserTimes
	}
	return UserTimes{}
}

// GroupTimes returns the times of the group with an ID; zero if there is none.
func (v Snapshot) GroupTimes(id string) GroupTimes { return v.st.times.groups[id] }

// AppTimes returns the times of the app with an ID; zero if there is none.
func (v Snapshot) AppTimes(id string) AppTimes {
	if t := v.st.times.apps[id]; t != nil {
		return t.AppTimes
	}
	return AppTimes{}
}

// Assignment describes the assignment of an app to a user.
type Assignment struct {
	Direct           bool   // by App.Users, not only by a group
	NameID           string // the user's NameID at a SAML app
	Created, Updated time.Time
}

// Assignment returns the assignment of an app to a user, by their IDs, and whether there is one. NameID is the Login
// where the app has no other.
func (v Snapshot) Assignment(appID, userID string) (Assignment, bool) {
	a, _ := v.st.app(appID)
	u := v.st.userByID(userID)
	if a == nil || u == nil || !a.AssignedTo(*u) {
		return Assignment{}, false
	}
	out := Assignment{Direct: a.listsUser(u), NameID: u.Login}
	if a.Kind == SAML {
		if name, err := a.nameID(u); err == nil {
			out.NameID = name
		}
	}
	if v.st.times.apps[a.ID] != nil && v.st.times.users[u.ID] != nil { // else they are new in a Change
		out.Created, out.Updated = v.st.assigned(a, u)
	}
	return out, true
}

// GroupAssigned returns since when an app is assigned to a group, by their IDs; zero if it isn't.
func (v Snapshot) GroupAssigned(appID, groupID string) time.Time {
	t := v.st.times.apps[appID]
	if t == nil || t.groups[groupID].IsZero() {
		return time.Time{}
	}
	return latest(t.groups[groupID], v.st.times.groups[groupID].Created)
}

// LastLogin returns when the user with an ID last signed in; zero is never.
func (s *Server) LastLogin(userID string) time.Time {
	at, _ := s.logins.get(userID)
	return at
}
