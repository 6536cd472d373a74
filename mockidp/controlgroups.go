package mockidp

import (
	"cmp"
	"maps"
	"slices"
	"strings"
)

func (s *Server) groupRoutes(api func(string, func(*call) *apiError)) {
	api("POST /api/v1/groups", s.createGroup)
	api("GET /api/v1/groups", s.listGroups)
	api("GET /api/v1/groups/{group}", func(c *call) *apiError {
		return s.withGroup(c, func(st *state, g Group) *apiError { return c.ok(s.groupJSON(c, st, g)) })
	})
	api("PUT /api/v1/groups/{group}", s.editGroup)
	api("DELETE /api/v1/groups/{group}", func(c *call) *apiError {
		return s.withGroup(c, func(_ *state, g Group) *apiError { return c.done(s.RemoveGroup(g.Name), g.ID) })
	})
	api("GET /api/v1/groups/{group}/users", s.listMembers)
	api("PUT /api/v1/groups/{group}/users/{user}", func(c *call) *apiError { return s.member(c, true) })
	api("DELETE /api/v1/groups/{group}/users/{user}", func(c *call) *apiError { return s.member(c, false) })
	api("GET /api/v1/groups/{group}/apps", func(c *call) *apiError {
		return s.withGroup(c, func(st *state, g Group) *apiError {
			out := []any{}
			for _, a := range st.apps {
				if slices.Contains(a.Groups, g.Name) {
					out = append(out, s.appJSON(c, st, a))
				}
			}
			return c.ok(out)
		})
	})
}

// done answers a request that leaves nothing to show.
func (c *call) done(err error, about string) *apiError {
	if err != nil {
		return fromError(err, about)
	}
	return c.noContent()
}

func (s *Server) withGroup(c *call, f func(*state, Group) *apiError) *apiError {
	st := s.state.Load()
	if g, ok := st.groupByID(c.r.PathValue("group")); ok {
		return f(st, g)
	}
	return notFound(c.r.PathValue("group"), "UserGroup")
}

func (st *state) sortedUsers() []*User {
	var out []*User
	for _, key := range slices.Sorted(maps.Keys(st.users)) {
		out = append(out, st.users[key])
	}
	return out
}

// What lists are in the order of, unless somebody asks for another.
var (
	byLogin = order[*User]{key: func(u *User) string { return loginKey(u.Login) }}
	byName  = order[Group]{key: func(g Group) string { return g.Name }}
)

// allGroups are the groups by name, with Everyone.
func (st *state) allGroups() []Group {
	out := append(slices.Collect(maps.Values(st.groups)), everyone)
	slices.SortFunc(out, func(a, b Group) int { return cmp.Compare(a.Name, b.Name) })
	return out
}

func groupType(g Group) string {
	if g.Name == Everyone {
		return "BUILT_IN"
	}
	return "OKTA_GROUP"
}

func (s *Server) groupJSON(c *call, st *state, g Group) map[string]any {
	at, path := st.times.groups[g.ID], "/api/v1/groups/"+g.ID
	return map[string]any{
		"id": g.ID, "created": stamp(at.Created), "lastUpdated": stamp(at.Updated), "lastMembershipUpdated": stamp(at.Membership),
		"objectClass": []string{"okta:user_group"}, "type": groupType(g),
		"profile": map[string]any{"name": g.Name, "description": g.Description},
		"_links":  map[string]any{"users": c.link(path + "/users"), "apps": c.link(path + "/apps")},
	}
}

type groupBody struct {
	Profile struct {
		Name        string `json:"name"`
		Description string `json:"description"`
	} `json:"profile"`
}

func (s *Server) createGroup(c *call) *apiError {
	var body groupBody
	if err := c.read(&body, false); err != nil {
		return err
	}
	var made Group
	err := s.change(func(st *state) error {
		name := body.Profile.Name
		if _, taken := st.groups[name]; taken || name == Everyone {
			return invalid("name", "An object with this field already exists in the current organization")
		}
		var err *Error
		if made, err = st.putGroup(Group{Name: name, Description: body.Profile.Description}); err != nil {
			return err
		}
		return nil
	})
	if err != nil {
		return fromError(err, "name")
	}
	return c.ok(s.groupJSON(c, s.state.Load(), made))
}

func (s *Server) editGroup(c *call) *apiError {
	var body groupBody
	if err := c.read(&body, false); err != nil {
		return err
	}
	return s.withGroup(c, func(_ *state, g Group) *apiError {
		if err := s.RenameGroup(g.Name, body.Profile.Name); err != nil {
			return fromError(err, "name")
		}
		g.Name, g.Description = body.Profile.Name, body.Profile.Description
		if err := s.PutGroup(g); err != nil {
			return fromError(err, "name")
		}
		return c.ok(s.groupJSON(c, s.state.Load(), g))
	})
}

func (s *Server) listGroups(c *call) *apiError {
	q := strings.ToLower(c.r.URL.Query().Get("q"))
	var list []Group
	st := s.state.Load()
	for _, g := range st.allGroups() {
		if strings.HasPrefix(strings.ToLower(g.Name), q) {
			list = append(list, g)
		}
	}
	list, err := selected(c, list, st.groupFields)
	if err != nil {
		return err
	}
	list, by, err := sorted(c, list, byName, st.groupFields, func(g Group) string { return g.ID })
	if err != nil {
		return err
	}
	return paged(c, list, 1000, by, func(g Group) map[string]any { return s.groupJSON(c, st, g) })
}

func (s *Server) listMembers(c *call) *apiError {
	return s.withGroup(c, func(st *state, g Group) *apiError {
		list := slices.DeleteFunc(st.sortedUsers(), func(u *User) bool { return !u.In(g.Name) })
		return paged(c, list, 1000, byLogin, func(u *User) map[string]any { return s.userJSON(c, st, u) })
	})
}

// member puts a user into a group, or takes one out. Either may be so already.
func (s *Server) member(c *call, in bool) *apiError {
	return s.withGroup(c, func(_ *state, g Group) *apiError {
		if g.Name == Everyone {
			return &apiError{Status: 403, Code: "E0000006", Summary: "You do not have permission to perform the requested action", Causes: []string{"everybody is in Everyone"}}
		}
		return s.withUser(c, func(_ *state, u *User) *apiError {
			err := s.UpdateUser(u.Login, func(u *User) error {
				u.Groups = without(u.Groups, g.Name)
				if in {
					u.Groups = append(u.Groups, g.Name)
				}
				return nil
			})
			return c.done(err, u.ID)
		})
	})
}
