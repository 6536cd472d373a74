package mockidp

import (
	"crypto/sha256"
	"encoding/binary"
	"maps"
	"slices"
)

// state holds everything that can change while the Server runs. A published state never changes: a request sees one
// state, and Server.Update replaces it as a whole.
type state struct {
	users  map[string]*User  // by loginKey
	ids    map[string]string // loginKey by User.ID
	groups map[string]Group
	closed bool   // Config.Groups was given, so a user may name no others
	apps   []*App // in the order of the dashboard

	anySP       bool   // Config.AnyServiceProvider
	placeholder string // ID of the app that a Config without Apps has; AddSP gives it to the first service provider

	keys    []*signingKey            // the Server's, in the order they were added
	signing string                   // ID of the key that signs
	rings   map[string][]*signingKey // by App.ID, of apps whose keys differ from the Server's

	times times // kept by Server.Update

	org, salt, tenant string // input for derived identifiers, besides names
}

func newState(c Config, key *signingKey, more []furtherKey, n naming, noApps bool) (*state, error) {
	st := &state{users: map[string]*User{}, ids: map[string]string{}, groups: map[string]Group{},
		closed: len(c.Groups) > 0, keys: []*signingKey{key}, signing: key.id, rings: map[string][]*signingKey{},
		org: c.Org, salt: n.salt, tenant: n.tenant, anySP: c.AnyServiceProvider}
	for _, g := range c.Groups {
		if _, dup := st.groups[g.Name]; dup {
			return nil, badConfig("duplicate group %s", quote(g.Name))
		}
		if err := st.putGroup(g); err != nil {
			return nil, err
		}
	}
	for _, u := range c.Users {
		if st.user(u.Login) != nil {
			return nil, badConfig("duplicate user %s", quote(u.Login))
		}
		if err := st.putUser(u); err != nil {
			return nil, err
		}
	}
	for _, k := range more { // before the apps, which may name them
		if err := st.addFurther(k); err != nil {
			return nil, err
		}
	}
	for _, a := range c.Apps {
		if err := st.putApp(a, -1); err != nil {
			return nil, err
		}
	}
	if noApps {
		st.placeholder = st.apps[0].ID
	}
	for app := range st.rings {
		if _, err := st.samlApp(app); err != nil {
			return nil, badConfig("KeyPair.Apps: %s", err.Detail)
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

func (st *state) userByID(id string) *User {
	if key, ok := st.ids[id]; ok {
		return st.users[key]
	}
	return nil
}

func (st *state) putUser(u User) error {
	own := loginKey(u.Login)
	taken := func(id string) bool { key, ok := st.ids[id]; return ok && key != own }
	if u.ID == "" {
		u.ID = freeID("00u", "user", own, taken)
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
	if taken(u.ID) {
		return badConfig("the users %s and %s have the same ID", quote(st.userByID(u.ID).Login), quote(u.Login))
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

func (st *state) putGroup(g Group) error {
	taken := func(id string) bool { other, ok := st.groupByID(id); return ok && other.Name != g.Name }
	if g.ID == "" {
		g.ID = freeID("00g", "group", g.Name, taken)
	}
	if err := g.check(); err != nil {
		return err
	}
	if taken(g.ID) {
		other, _ := st.groupByID(g.ID)
		return badConfig("the groups %s and %s have the same ID", quote(other.Name), quote(g.Name))
	}
	st.groups[g.Name] = g
	return nil
}

var everyone = Group{ID: "00g" + derivedID("group", Everyone, 0), Name: Everyone, Description: "All users"}

// groupByID returns the group with an ID, also Everyone.
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

// groupID returns a group's ID, also that of Everyone.
func (st *state) groupID(name string) string {
	if name == Everyone {
		return everyone.ID
	}
	return st.groups[name].ID
}

// renameGroup replaces a group's name in the lists of users and apps. newName "" removes it from them.
func (st *state) renameGroup(name, newName string) {
	replaced := func(list []string) []string {
		for i := range list {
			if list[i] == name {
				list[i] = newName
			}
		}
		return slices.DeleteFunc(list, func(s string) bool { return s == "" })
	}
	for key, u := range st.users {
		if slices.Contains(u.Groups, name) {
			next := u.clone()
			next.Groups = replaced(next.Groups)
			st.users[key] = &next
		}
	}
	for i, a := range st.apps {
		if slices.Contains(a.Groups, name) {
			next := a.clone()
			next.Groups = replaced(next.Groups)
			st.apps[i] = &next
		}
	}
}

// putApp adds an app (at < 0) or replaces the one at that index.
func (st *state) putApp(a App, at int) error {
	ordinal := 0
	for i, b := range st.apps {
		if i != at && b.Label == a.Label {
			ordinal++
		}
	}
	a, err := a.prepared(naming{st.salt, st.org, st.tenant, ordinal})
	if err != nil {
		return err
	}
	if at >= 0 && st.apps[at].ID != a.ID {
		if ring, ok := st.rings[st.apps[at].ID]; ok {
			st.rings[a.ID] = ring
			delete(st.rings, st.apps[at].ID)
		}
	}
	if a.KeyID != "" && findKey(st.ring(&a), a.KeyID) == nil {
		return badConfig("the app %s is signed with the key %s, which doesn't exist", quote(a.Label), quote(a.KeyID))
	}
	for i, b := range st.apps {
		if i != at && (b.ID == a.ID || b.ExternalKey == a.ExternalKey) {
			return badConfig("the apps %s and %s have the same ID or ExternalKey", quote(b.Label), quote(a.Label))
		}
		if i != at && st.shareIdentifier(b, &a) {
			return badConfig("the apps %s and %s of one Entra tenant have the same Audience", quote(b.Label), quote(a.Label))
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

// indexOf returns the index of the app with an ID.
func (st *state) indexOf(id string) (int, *Error) {
	for i, a := range st.apps {
		if id == "" && a.Kind == SAML || id != "" && a.ID == id {
			return i, nil
		}
	}
	return -1, errorf(ReasonNoSuchApp, "no app has the ID %s", quote(id))
}

func (st *state) app(id string) (*App, *Error) {
	i, err := st.indexOf(id)
	if err != nil {
		return nil, err
	}
	return st.apps[i], nil
}

func (st *state) samlApp(id string) (*App, *Error) {
	a, err := st.app(id)
	if err == nil && a.Kind != SAML {
		return nil, errorf(ReasonNotSAML, "the app %s is a bookmark, not a SAML app", quote(a.Label))
	}
	return a, err
}

// byKey returns the SAML app with an ExternalKey in Okta's paths, or nil.
func (st *state) byKey(key string) *App {
	for _, a := range st.apps {
		if a.Kind == SAML && a.Profile == Okta && a.ExternalKey == key {
			return a
		}
	}
	return nil
}

// freeID derives an unused ID from a name. taken reports whether another object has an ID.
func freeID(prefix, what, name string, taken func(id string) bool) string {
	for n := 0; ; n++ {
		if id := prefix + derivedID(what, name, n); !taken(id) {
			return id
		}
	}
}

// derivedID returns the 17 characters of an Okta ID. A service provider's settings survive a restart of the Server.
func derivedID(what, name string, ordinal int) string {
	const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	sum := sha256.Sum256([]byte(what + "\x00" + name + "\x00" + itoa(ordinal)))
	id := make([]byte, 17)
	for i := range id {
		id[i] = alphabet[binary.BigEndian.Uint16(sum[i:])%uint16(len(alphabet))]
	}
	return string(id)
}
