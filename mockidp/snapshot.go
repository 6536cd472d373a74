package mockidp

import (
	"cmp"
	"maps"
	"slices"
)

// Snapshot is what the Server holds at one moment: users, groups, apps, keys,
// and since when they are so. It never changes, and what its methods return are
// copies.
type Snapshot struct {
	s  *Server
	st *state
}

// Snapshot returns what the Server holds now.
func (s *Server) Snapshot() Snapshot { return Snapshot{s, s.state.Load()} }

// Changed returns a channel that is closed when the Server next holds something
// else. Take it before the Snapshot, so that no change is missed between them.
func (s *Server) Changed() <-chan struct{} { return s.changed.wait() }

// Users returns all users, by login.
func (v Snapshot) Users() []User {
	var out []User
	for _, key := range slices.Sorted(maps.Keys(v.st.users)) {
		out = append(out, v.st.users[key].clone())
	}
	return out
}

// User returns the user with that login.
func (v Snapshot) User(login string) (User, bool) { return copied(v.st.user(login)) }

// UserByID returns the user with that ID.
func (v Snapshot) UserByID(id string) (User, bool) { return copied(v.st.userByID(id)) }

func copied[T interface{ clone() T }](p *T) (T, bool) {
	if p == nil {
		var zero T
		return zero, false
	}
	return (*p).clone(), true
}

// Groups returns the groups by name. Everyone isn't among them.
func (v Snapshot) Groups() []Group {
	return slices.SortedFunc(maps.Values(v.st.groups), func(a, b Group) int { return cmp.Compare(a.Name, b.Name) })
}

// Group returns the group of that name, also Everyone.
func (v Snapshot) Group(name string) (Group, bool) {
	if name == Everyone {
		return everyone, true
	}
	g, ok := v.st.groups[name]
	return g, ok
}

// GroupByID returns the group with that ID, also Everyone.
func (v Snapshot) GroupByID(id string) (Group, bool) { return v.st.groupByID(id) }

// Apps returns all apps, in the order of the dashboard, with what was zero
// filled in.
func (v Snapshot) Apps() []App {
	var out []App
	for _, a := range v.st.apps {
		out = append(out, a.clone())
	}
	return out
}

// App returns the app with that ID; "" is the first SAML app.
func (v Snapshot) App(id string) (App, bool) {
	a, _ := v.st.app(id)
	return copied(a)
}

// TileURL is where an app's tile leads, as Server.TileURL has it; "" if there is
// no such app.
func (v Snapshot) TileURL(appID string) string {
	a, err := v.st.app(appID)
	if err != nil {
		return ""
	}
	return v.s.tileURL(a)
}

// Metadata returns an app's metadata, as Server.Metadata does, or metadata with
// one of the app's keys and no other. keyID "" is all that are published.
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
	return v.s.metadataOf(a, []*signingKey{k})
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

// SigningKey returns the key that signs for an app. It is published even if
// AppKeys doesn't have it: the app may have retired it before SignWith made it
// the Server's.
func (v Snapshot) SigningKey(appID string) (Key, error) {
	a, err := v.st.samlApp(appID)
	if err != nil {
		return Key{}, err
	}
	k := v.st.keyFor(a)
	return k.public(k.id), nil
}
