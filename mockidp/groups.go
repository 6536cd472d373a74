package mockidp

import "slices"

// Group is a set of users; apps are assigned to groups as well as to users.
type Group struct {
	ID          string // zero: 00g and 17 characters made from the name
	Name        string
	Description string // may be empty
}

func (g Group) prepared() (Group, *Error) {
	if g.Name == "" || g.Name == Everyone || len(g.Name) > 256 {
		return Group{}, badConfig("a Group can't be called %s", quote(g.Name))
	}
	if !idShape.MatchString(g.ID) {
		return Group{}, badConfig("group %s: an ID is letters, digits and _ . -, got %s", quote(g.Name), quote(g.ID))
	}
	return g, checkText("Group.Name", g.Name)
}

// Groups returns the groups by name. Everyone isn't among them.
func (s *Server) Groups() []Group { return s.Snapshot().Groups() }

// PutGroup adds a group, or replaces the one of that name.
func (s *Server) PutGroup(g Group) error {
	return s.Update(func(c *Change) error { return c.PutGroup(g) })
}

// RenameGroup gives a group another name. Its ID, its members and its apps stay.
func (s *Server) RenameGroup(name, newName string) error {
	return s.Update(func(c *Change) error { return c.RenameGroup(name, newName) })
}

// RemoveGroup removes a group: no user is in it any longer, and no app is
// assigned to it.
func (s *Server) RemoveGroup(name string) error {
	return s.Update(func(c *Change) error { return c.RemoveGroup(name) })
}

func noSuchGroup(name string) *Error {
	return &Error{Reason: ReasonNoSuchGroup, Detail: "no group is called " + quote(name)}
}

// everyGroupList changes the lists of groups, of users and of apps, that hold a name.
func (st *state) everyGroupList(f func([]string) []string, name string) {
	for key, u := range st.users {
		if slices.Contains(u.Groups, name) {
			next := u.clone()
			next.Groups = f(next.Groups)
			st.users[key] = &next
		}
	}
	for i, a := range st.apps {
		if slices.Contains(a.Groups, name) {
			next := a.clone()
			next.Groups = f(next.Groups)
			st.apps[i] = &next
		}
	}
}

func without(list []string, name string) []string {
	return slices.DeleteFunc(list, func(s string) bool { return s == name })
}
