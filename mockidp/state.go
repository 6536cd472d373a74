package mockidp

import (
	"crypto/sha256"
	"encoding/binary"
	"maps"
	"slices"
	"strconv"
)

// state is everything that changes while serving. A snapshot never changes:
// one request sees one state, and writers replace it whole (Server.change).
type state struct {
	users  map[string]*User  // by loginKey
	ids    map[string]string // loginKey by User.ID
	groups map[string]Group
	closed bool   // Config.Groups was given, so a user may name no others
	apps   []*App // in the order of the dashboard

	keys    []*signingKey            // the Server's, in the order they were added
	signing string                   // ID of the one that signs
	rings   map[string][]*signingKey // by App.ID, where an app's keys aren't the Server's

	times times // kept by Server.change

	org, salt string // what identifiers are derived from, besides names
}

func newState(c Config, key *signingKey, salt string) (*state, error) {
	st := &state{users: map[string]*User{}, ids: map[string]string{}, groups: map[string]Group{}, closed: len(c.Groups) > 0,
		keys: []*signingKey{key}, signing: key.id, rings: map[string][]*signingKey{}, org: c.Org, salt: salt}
	for _, g := range c.Groups {
		if _, dup := st.groups[g.Name]; dup {
			return nil, badConfig("the group %s is there twice", quote(g.Name))
		}
		if err := st.putGroup(g); err != nil {
			return nil, err
		}
	}
	for _, u := range c.Users {
		if st.user(u.Login) != nil {
			return nil, badConfig("the user %s is there twice", quote(u.Login))
		}
		if err := st.putUser(u); err != nil {
			return nil, err
		}
	}
	for _, a := range c.Apps {
		if err := st.putApp(a, -1); err != nil {
			return nil, err
		}
	}
	return st, nil
}

// copy is shallow: users and apps are replaced, never written to.
func (st *state) copy() *state {
	n := *st
	n.users, n.ids, n.groups = maps.Clone(st.users), maps.Clone(st.ids), maps.Clone(st.groups)
	n.apps, n.keys, n.rings = slices.Clone(st.apps), slices.Clone(st.keys), maps.Clone(st.rings)
	return &n
}

func (st *state) user(login string) *User { return st.users[loginKey(login)] }

// userByID finds a user by ID, or nil.
func (st *state) userByID(id string) *User {
	if key, ok := st.ids[id]; ok {
		return st.users[key]
	}
	return nil
}

// putUser adds or replaces the user of that login.
func (st *state) putUser(u User) error {
	own := loginKey(u.Login)
	for n := 0; u.ID == ""; n++ {
		// Somebody who was renamed may have the ID that the login would give.
		id := "00u" + derivedID("user", own, n)
		if key, taken := st.ids[id]; !taken || key == own {
			u.ID = id
		}
	}
	u, err := u.prepared()
	if err != nil {
		return err
	}
	for _, g := range u.Groups {
		if _, known := st.groups[g]; known || g == Everyone {
			continue
		}
		if st.closed || g == "" {
			return badConfig("the user %s names the group %s, which doesn't exist", quote(u.Login), quote(g))
		}
		if err := st.putGroup(Group{Name: g}); err != nil {
			return err
		}
	}
	if key, taken := st.ids[u.ID]; taken && key != own {
		return badConfig("the users %s and %s share an ID", quote(st.users[key].Login), quote(u.Login))
	}
	st.dropUser(own)
	st.users[own], st.ids[u.ID] = &u, own
	return nil
}

func (st *state) dropUser(key string) {
	if u := st.users[key]; u != nil {
		delete(st.ids, u.ID)
		delete(st.users, key)
	}
}

// putGroup adds or replaces the group of that name.
func (st *state) putGroup(g Group) error {
	for n := 0; g.ID == "" && g.Name != ""; n++ {
		id := "00g" + derivedID("group", g.Name, n)
		if other, taken := st.groupByID(id); !taken || other.Name == g.Name {
			g.ID = id
		}
	}
	g, err := g.prepared()
	if err != nil {
		return err
	}
	if other, taken := st.groupByID(g.ID); taken && other.Name != g.Name {
		return badConfig("the groups %s and %s share an ID", quote(other.Name), quote(g.Name))
	}
	st.groups[g.Name] = g
	return nil
}

// everyone is the group that always exists, as others see it.
var everyone = Group{ID: "00g" + derivedID("group", Everyone, 0), Name: Everyone, Description: "All users"}

// groupByID finds a group, Everyone too.
func (st *state) groupByID(id string) (Group, bool) {
	if id == everyone.ID {
		return everyone, true
	}
	for _, g := range st.groups {
		if g.ID == id {
			return g, true
		}
	}
	return Group{}, false
}

// putApp adds the app (at < 0) or replaces the one at that place.
func (st *state) putApp(a App, at int) error {
	ordinal := 0
	for i, b := range st.apps {
		if i != at && b.Label == a.Label {
			ordinal++
		}
	}
	a, err := a.prepared(naming{st.salt, st.org, ordinal})
	if err != nil {
		return err
	}
	if at >= 0 && st.apps[at].ID != a.ID {
		st.moveRing(st.apps[at].ID, a.ID)
	}
	if a.KeyID != "" && findKey(st.ring(&a), a.KeyID) == nil {
		return badConfig("the app %s is signed with the key %s, which doesn't exist", quote(a.Label), quote(a.KeyID))
	}
	for i, b := range st.apps {
		if i != at && (b.ID == a.ID || b.ExternalKey == a.ExternalKey) {
			return badConfig("the apps %s and %s share an ID or ExternalKey", quote(b.Label), quote(a.Label))
		}
		if i != at && st.shareIdentifier(b, &a) {
			return badConfig("the apps %s and %s are in one Entra tenant and have the same Audience", quote(b.Label), quote(a.Label))
		}
	}
	for _, l := range a.Users {
		if st.user(l) == nil {
			return badConfig("the app %s is assigned to the user %s, who doesn't exist", quote(a.Label), quote(l))
		}
	}
	for _, g := range a.Groups {
		if _, known := st.groups[g]; !known && g != Everyone {
			return badConfig("the app %s is assigned to the group %s, which doesn't exist", quote(a.Label), quote(g))
		}
	}
	if at < 0 {
		st.apps = append(st.apps, &a)
	} else {
		st.apps[at] = &a
	}
	return nil
}

// indexOf finds an app by ID; "" is the first SAML app. It is -1 if there is none.
func (st *state) indexOf(id string) int {
	return slices.IndexFunc(st.apps, func(a *App) bool {
		return id == "" && a.Kind == SAML || id != "" && a.ID == id
	})
}

func (st *state) app(id string) (*App, *Error) {
	if i := st.indexOf(id); i >= 0 {
		return st.apps[i], nil
	}
	return nil, &Error{Reason: ReasonNoSuchApp, Detail: "no app has the ID " + quote(id)}
}

func (st *state) samlApp(id string) (*App, *Error) {
	a, err := st.app(id)
	if err == nil && a.Kind != SAML {
		return nil, &Error{Reason: ReasonNotSAML, Detail: "the app " + quote(a.Label) + " is a bookmark and speaks no SAML"}
	}
	return a, err
}

// byKey finds a SAML app by its part of Okta's paths.
func (st *state) byKey(key string) *App {
	for _, a := range st.apps {
		if a.Kind == SAML && a.Profile == Okta && a.ExternalKey == key {
			return a
		}
	}
	return nil
}

// derivedID makes the 17 characters that follow Okta's 0oa and exk. They come
// from the label, so that a service provider's settings survive a restart.
func derivedID(what, label string, ordinal int) string {
	const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	sum := sha256.Sum256([]byte(what + "\x00" + label + "\x00" + itoa(ordinal)))
	id := make([]byte, 17)
	for i := range id {
		id[i] = alphabet[binary.BigEndian.Uint16(sum[i:])%uint16(len(alphabet))]
	}
	return string(id)
}

func itoa(n int) string { return strconv.Itoa(n) }
