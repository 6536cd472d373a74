package scim

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/meridian-saml/meridian/portal/center"
)

// An index is the people of an instance, found by what clients look for. One
// that serves reads never changes; one inside an update belongs to it.
type index struct {
	users  []center.User // in the instance's order; a removed one has no ID
	groups []center.Group

	userAt, groupAt             map[string]int // by ID
	userNames, groupNames       multi          // by folded name
	userExternal, groupExternal multi          // by exact externalId
}

// multi finds all elements that have a key. An instance that was configured by
// hand may hold names that differ in case only, so one is not enough.
type multi map[string][]int

func (m multi) add(key string, i int) {
	if key != "" {
		m[key] = append(m[key], i)
	}
}

func (m multi) remove(key string, i int) {
	// The slice may be shared with nobody: add and fill make it.
	if left := slices.DeleteFunc(m[key], func(o int) bool { return o == i }); len(left) > 0 {
		m[key] = left
	} else {
		delete(m, key)
	}
}

// fill is add for many, with one allocation for all keys that come once.
func fill(n int, key func(int) string) multi {
	m, room := make(multi, n), make([]int, n)
	for i := range n {
		k := key(i)
		if at, taken := m[k]; taken {
			m[k] = append(at, i)
		} else if k != "" {
			room[i] = i
			m[k] = room[i : i+1 : i+1]
		}
	}
	return m
}

// newIndex takes ownership of d's users and groups.
func newIndex(d center.Data) *index {
	x := &index{
		users: d.Users, groups: d.Groups,
		userAt:        make(map[string]int, len(d.Users)),
		groupAt:       make(map[string]int, len(d.Groups)),
		userNames:     fill(len(d.Users), func(i int) string { return fold(d.Users[i].UserName) }),
		groupNames:    fill(len(d.Groups), func(i int) string { return fold(d.Groups[i].Name) }),
		userExternal:  fill(len(d.Users), func(i int) string { return d.Users[i].ExternalID }),
		groupExternal: fill(len(d.Groups), func(i int) string { return d.Groups[i].ExternalID }),
	}
	for i, u := range d.Users {
		x.userAt[u.ID] = i
	}
	for i, g := range d.Groups {
		x.groupAt[g.ID] = i
	}
	return x
}

func (x *index) user(id string) (center.User, bool) {
	i, ok := x.userAt[id]
	if !ok {
		return center.User{}, false
	}
	return x.users[i], true
}

// group returns a group whose Members belong to the index.
func (x *index) group(id string) (center.Group, bool) {
	i, ok := x.groupAt[id]
	if !ok {
		return center.Group{}, false
	}
	return x.groups[i], true
}

func (x *index) putUser(u center.User) {
	i, ok := x.userAt[u.ID]
	if ok {
		old := x.users[i]
		x.userNames.remove(fold(old.UserName), i)
		x.userExternal.remove(old.ExternalID, i)
		x.users[i] = u
	} else {
		i = len(x.users)
		x.users = append(x.users, u)
		x.userAt[u.ID] = i
	}
	x.userNames.add(fold(u.UserName), i)
	x.userExternal.add(u.ExternalID, i)
}

func (x *index) putGroup(g center.Group) {
	i, ok := x.groupAt[g.ID]
	if ok {
		old := x.groups[i]
		x.groupNames.remove(fold(old.Name), i)
		x.groupExternal.remove(old.ExternalID, i)
		x.groups[i] = g
	} else {
		i = len(x.groups)
		x.groups = append(x.groups, g)
		x.groupAt[g.ID] = i
	}
	x.groupNames.add(fold(g.Name), i)
	x.groupExternal.add(g.ExternalID, i)
}

// dropUser removes a user, and from all groups as the instance does.
func (x *index) dropUser(id string) {
	i := x.userAt[id]
	x.userNames.remove(fold(x.users[i].UserName), i)
	x.userExternal.remove(x.users[i].ExternalID, i)
	delete(x.userAt, id)
	x.users[i] = center.User{}
	for j := range x.groups {
		g := &x.groups[j]
		g.Members = slices.DeleteFunc(g.Members, func(m string) bool { return m == id })
	}
}

func (x *index) dropGroup(id string) {
	i := x.groupAt[id]
	x.groupNames.remove(fold(x.groups[i].Name), i)
	x.groupExternal.remove(x.groups[i].ExternalID, i)
	delete(x.groupAt, id)
	x.groups[i] = center.Group{}
}

// fold gives two strings the same key exactly if strings.EqualFold holds for
// them: userName and displayName are not case-exact (RFC 7643 4.1.1, 8.7.1).
func fold(s string) string {
	if strings.IndexFunc(s, func(r rune) bool { return r >= utf8.RuneSelf || ('A' <= r && r <= 'Z') }) < 0 {
		return s // nearly all of them
	}
	return strings.Map(func(r rune) rune {
		least := r
		for f := unicode.SimpleFold(r); f != r; f = unicode.SimpleFold(f) {
			least = min(least, f)
		}
		if 'A' <= least && least <= 'Z' {
			least += 'a' - 'A' // as in the names that are returned above
		}
		return least
	}, s)
}

// index returns the people of the moment. It is made once per snapshot.
func (s *ServiceProvider) index() *index {
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
