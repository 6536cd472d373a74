package oktaapi

import (
	"slices"
	"strings"

	"github.com/meridian-saml/meridian/mockidp"
)

func (s *API) groupRoutes(api func(string, handler)) {
	api("POST /api/v1/groups", withBody(s.createGroup))
	api("GET /api/v1/groups", s.listGroups)
	api("GET /api/v1/groups/{group}", s.withGroup(func(c *call, v view, g mockidp.Group) *apiError { return c.ok(s.groupJSON(c, v, g)) }))
	api("PUT /api/v1/groups/{group}", withBody(s.editGroup))
	api("DELETE /api/v1/groups/{group}", s.withGroup(func(c *call, _ view, g mockidp.Group) *apiError {
		return c.done(s.idp.RemoveGroup(g.Name), g.ID)
	}))
	api("GET /api/v1/groups/{group}/users", s.withGroup(s.listMembers))
	api("PUT /api/v1/groups/{group}/users/{user}", s.member(true))
	api("DELETE /api/v1/groups/{group}/users/{user}", s.member(false))
	api("GET /api/v1/groups/{group}/apps", s.withGroup(func(c *call, v view, g mockidp.Group) *apiError {
		apps := slices.DeleteFunc(v.Apps(), func(a mockidp.App) bool { return !slices.Contains(a.Groups, g.Name) })
		return c.ok(shown(apps, func(a mockidp.App) map[string]any { return s.appJSON(c, v, &a) }))
	}))
}

// done answers a request that leaves nothing to show.
func (c *call) done(err error, about string) *apiError {
	if err != nil {
		return fromError(err, about)
	}
	return c.noContent()
}

// withGroup makes a handler of one that gets the group that the path names.
func (s *API) withGroup(h func(*call, view, mockidp.Group) *apiError) handler {
	return func(c *call) *apiError {
		v := s.view()
		if g, ok := v.GroupByID(c.r.PathValue("group")); ok {
			return h(c, v, g)
		}
		return notFound(c.r.PathValue("group"), "UserGroup")
	}
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

func (s *API) createGroup(c *call, body groupBody) *apiError {
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

func (s *API) editGroup(c *call, body groupBody) *apiError {
	return s.withGroup(func(c *call, _ view, g mockidp.Group) *apiError {
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
	})(c)
}

func (s *API) listGroups(c *call) *apiError {
	v := s.view()
	list := slices.DeleteFunc(v.allGroups(), func(g mockidp.Group) bool { return !c.asksFor(g.Name) })
	return searched(c, list, 1000, byName, v.groupFields, func(g mockidp.Group) string { return g.ID },
		func(g mockidp.Group) map[string]any { return s.groupJSON(c, v, g) })
}

func (s *API) listMembers(c *call, v view, g mockidp.Group) *apiError {
	list := slices.DeleteFunc(v.Users(), func(u mockidp.User) bool { return !u.In(g.Name) })
	return paged(c, list, 1000, byLogin, func(u mockidp.User) map[string]any { return s.userJSON(c, v, u) })
}

// member puts a user into a group, or takes one out. Either may be so already.
func (s *API) member(in bool) handler {
	return s.withGroup(func(c *call, _ view, g mockidp.Group) *apiError {
		if g.Name == mockidp.Everyone {
			return &apiError{Status: 403, Code: "E0000006", Summary: "You do not have permission to perform the requested action", Causes: []string{"everybody is in Everyone"}}
		}
		return s.withUser(func(c *call, _ view, u mockidp.User) *apiError {
			err := s.idp.UpdateUser(u.Login, func(u *mockidp.User) error {
				u.Groups = slices.DeleteFunc(u.Groups, func(name string) bool { return name == g.Name })
				if in {
					u.Groups = append(u.Groups, g.Name)
				}
				return nil
			})
			return c.done(err, u.ID)
		})(c)
	})
}
