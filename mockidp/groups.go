package mockidp

import (
	"maps"
	"slices"
)

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
func (s *Server) Groups() []Group {
	st := s.state.Load()
	var out []Group
	for _, name := range slices.Sorted(maps.Keys(st.groups)) {
		out = append(out, st.groups[name])
	}
	return out
}

// PutGroup adds a group, or replaces the one of that name.
func (s *Server) PutGroup(g Group) error {
	return s.change(func(st *state) error {
		if _, err := st.putGroup(g); err != nil {
			return err
		}
		return nil
	})
}

// RenameGroup gives a group another name. Its ID, its members and its apps stay.
func (s *Server) RenameGroup(name, newName string) error {
	return s.change(func(st *state) error {
		g, ok := st.groups[name]
		if !ok {
			return noSuchGroup(name)
		}
		if newName == name {
			return nil
		}
		if _, taken := st.groups[newName]; taken {
			return badConfig("the group %s is there already", quote(newName))
		}
		delete(st.groups, name)
		g.Name = newName
		if _, err := st.putGroup(g); err != nil {
			return err
		}
		st.everyGroupList(func(list []string) []string {
			for i := range list {
				if list[i] == name {
					list[i] = newName
				}
			}
			return list
		}, name)
		return nil
	})
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

// RemoveGroup removes a group: nobody is in it any longer, and no app is
// assigned to it.
func (s *Server) RemoveGroup(name string) error {
	return s.change(func(st *state) error {
		if _, ok := st.groups[name]; !ok {
			return noSuchGroup(name)
		}
		delete(st.groups, name)
		st.everyGroupList(func(list []string) []string { return without(list, name) }, name)
		return nil
	})
}

func without(list []string, name string) []string {
	return slices.DeleteFunc(list, func(s string) bool { return s == name })
}
