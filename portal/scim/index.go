package scim

import (
	"slices"

	"github.com/meridian-saml/meridian/portal/center"
)

// An index is an instance's users and groups with lookup tables. One that serves
// reads never changes; one inside an update belongs to it.
type index struct {
	users  *table[center.User]
	groups *table[center.Group] // whose Members never change
}

// newIndex takes ownership of d's users and groups.
func newIndex(d center.Data) *index {
	return &index{
		users:  newTable(d.Users, "username", userKeys),
		groups: newTable(d.Groups, "displayname", groupKeys),
	}
}

func userKeys(u *center.User) (id, name, external string) { return u.ID, u.UserName, u.ExternalID }

func groupKeys(g *center.Group) (id, name, external string) { return g.ID, g.Name, g.ExternalID }

// dropUser removes a user, also from all groups, as the instance does.
func (x *index) dropUser(id string) {
	x.users.drop(id)
	for i := range x.groups.all {
		if g := &x.groups.all[i]; slices.Contains(g.Members, id) {
			// Not in place: a request of the same batch may be about to show them.
			g.Members = slices.DeleteFunc(slices.Clone(g.Members), func(m string) bool { return m == id })
		}
	}
}

// index returns the index of the current snapshot. It is made once per snapshot.
func (s *Server) index() *index {
	s.mu.Lock()
	defer s.mu.Unlock()
	if now := s.cfg.View.Snapshot(); s.indexOf != now {
		s.cached, s.indexOf = newIndex(now.Data()), now
	}
	return s.cached
}

// state is the instance during an update, with the changes of the batch so far.
type state struct {
	*index
	tx *center.Tx
}
