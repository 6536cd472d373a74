package oktaapi

import (
	"slices"
	"strings"

	"github.com/meridian-saml/meridian/mockidp"
)

func (s *API) groupRoutes(api func(string, func(*call) *apiError)) {
	api("POST /api/v1/groups", s.createGroup)
	api("GET /api/v1/groups", s.listGroups)
	api("GET /api/v1/groups/{group}", func(c *call) *apiError {
		return s.withGroup(c, func(v view, g mockidp.Group) *apiError { return c.ok(s.groupJSON(c, v, g)) })
	})
	api("PUT /api/v1/groups/{group}", s.editGroup)
	api("DELETE /api/v1/groups/{group}", func(c *call) *apiError {
		return s.withGroup(c, func(_ view, g mockidp.Group) *apiError { return c.done(s.idp.RemoveGroup(g.Name), g.ID) })
	})
	api("GET /api/v1/groups/{group}/users", s.listMembers)
	api("PUT /api/v1/groups/{group}/users/{user}", func(c *call) *apiError { return s.member(c, true) })
	api("DELETE /api/v1/groups/{group}/users/{user}", func(c *call) *apiError { return s.member(c, false) })
	api("GET /api/v1/groups/{group}/apps", func(c *call) *apiError {
		return s.withGroup(c, func(v view, g mockidp.Group) *apiError {
			out := []any{}
			for _, a := range v.Apps() {
				if slices.Contains(a.Groups, g.Name) {
					out = append(out, s.appJSON(c, v, &a))
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

func (s *API) withGroup(c *call, f func(view, mockidp.Group) *apiError) *apiError {
	v := s.view()
	if g, ok := v.GroupByID(c.r.PathValue("group")); ok {
		return f(v, g)
	}
	return notFound(c.r.PathValue("group"), "UserGroup")
}

// What lists are in the order of, unless somebody asks for another.
var (
	byLogin = order[mockidp.User]{key: func(u mockidp.User) string { return strings.ToLower(u.Login) }}
	byName  = order[mockidp.Group]{key: func(g mockidp.Group) string { return g.Name }}
)

func groupType(g mockidp.Group) string {
	if g.Name == mockidp.Everyone {
		return "BUILT_IN"
	}
	return "OKTA_GROUP"
}

func (s *API) groupJSON(c *call, v view, g mockidp.Group) map[string]any {
	at, path := v.GroupTimes(g.ID), "/api/v1/groups/"+g.ID
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

func (s *API) createGroup(c *call) *apiError {
	var body groupBody
	if err := c.read(&body, false); err != nil {
		return err
	}
	var made mockidp.Group
	err := s.idp.Update(func(all *mockidp.Change) error {
		name := body.Profile.Name
		if _, taken := all.Group(name); taken {
			return invalid("name", "An object with this field already exists in the current organization")
		}
		err := all.PutGroup(mockidp.Group{Name: name, Description: body.Profile.Description})
		made, _ = all.Group(name)
		return err
	})
	if err != nil {
		return fromError(err, "name")
	}
	return c.ok(s.groupJSON(c, s.view(), made))
}

func (s *API) editGroup(c *call) *apiError {
	var body groupBody
	if err := c.read(&body, false); err != nil {
		return err
	}
	return s.withGroup(c, func(_ view, g mockidp.Group) *apiError {
		was := g.Name
		g.Name, g.Description = body.Profile.Name, body.Profile.Description
		err := s.idp.Update(func(all *mockidp.Change) error {
			if err := all.RenameGroup(was, g.Name); err != nil {
				return err
			}
			return all.PutGroup(g)
		})
		if err != nil {
			return fromError(err, "name")
		}
		return c.ok(s.groupJSON(c, s.view(), g))
	})
}

func (s *API) listGroups(c *call) *apiError {
	q := strings.ToLower(c.r.URL.Query().Get("q"))
	var list []mockidp.Group
	v := s.view()
	for _, g := range v.allGroups() {
		if strings.HasPrefix(strings.ToLower(g.Name), q) {
			list = append(list, g)
		}
	}
	list, err := selected(c, list, v.groupFields)
	if err != nil {
		return err
	}
	list, by, err := sorted(c, list, byName, v.groupFields, func(g mockidp.Group) string { return g.ID })
	if err != nil {
		return err
	}
	return paged(c, list, 1000, by, func(g mockidp.Group) map[string]any { return s.groupJSON(c, v, g) })
}

func (s *API) listMembers(c *call) *apiError {
	return s.withGroup(c, func(v view, g mockidp.Group) *apiError {
		list := slices.DeleteFunc(v.Users(), func(u mockidp.User) bool { return !u.In(g.Name) })
		return paged(c, list, 1000, byLogin, func(u mockidp.User) map[string]any { return s.userJSON(c, v, u) })
	})
}

// member puts a user into a group, or takes one out. Either may be so already.
func (s *API) member(c *call, in bool) *apiError {
	return s.withGroup(c, func(_ view, g mockidp.Group) *apiError {
		if g.Name == mockidp.Everyone {
			return &apiError{Status: 403, Code: "E0000006", Summary: "You do not have permission to perform the requested action", Causes: []string{"everybody is in Everyone"}}
		}
		return s.withUser(c, func(_ view, u mockidp.User) *apiError {
			err := s.idp.UpdateUser(u.Login, func(u *mockidp.User) error {
				u.Groups = slices.DeleteFunc(u.Groups, func(name string) bool { return name == g.Name })
				if in {
					u.Groups = append(u.Groups, g.Name)
				}
				return nil
			})
			return c.done(err, u.ID)
		})
	})
}
