package scim

import (
	"slices"

	"github.com/meridian-saml/meridian/portal/center"
)

// An index is the people of an instance, found by what clients look for. One
// that serves reads never changes; one inside an update belongs to it.
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

// dropUser removes a user, and from all groups as the instance does.
func (x *index) dropUser(id string) {
	x.users.drop(id)
	for i := range x.groups.all {
		if g := &x.groups.all[i]; slices.Contains(g.Members, id) {
			// Not in place: a request of the same batch is about to show them.
			g.Members = slices.DeleteFunc(slices.Clone(g.Members), func(m string) bool { return m == id })
		}
	}
}

// index returns the people of the moment. It is made once per snapshot.
func (s *Server) index() *index {
	if c := s.cached.Load(); c != nil && c.of == s.cfg.View.Snapshot() {
		return c.index
	}
	s.indexing.Lock()
	defer s.indexing.Unlock()
	now := s.cfg.View.Snapshot()
	c := s.cached.Load()
	if c == nil || c.of != now {
		c = &indexed{now, newIndex(now.Data())}
		s.cached.Store(c)
	}
	return c.index
}

// state is the instance in the middle of an update, with what the batch has
// changed so far.
type state struct {
	*index
	tx *center.Tx
}

// check asks the instance's own rules about one user or group, so that a bad one
// is refused before it joins an update, and no rule stands here a second time.
func check(d center.Data) *Error {
	d.Regions = []center.Region{{Name: "us-east-1"}}
	if _, err := center.New(d); err != nil {
		return fromCenter(err)
	}
	return nil
}
