package oktaapi

import (
	"slices"

	"github.com/meridian-saml/meridian/mockidp"
)

// appUserJSON is an assignment. The app's name for the user is made by its
// NameIDTemplate, so there is none to be set here.
func (s *API) appUserJSON(c *call, v view, a *mockidp.App, u mockidp.User) map[string]any {
	given, _ := v.Assignment(a.ID, u.ID)
	scope := "GROUP"
	if given.Direct {
		scope = "USER"
	}
	path := "/api/v1/apps/" + a.ID
	return map[string]any{
		"id": u.ID, "externalId": nil, "created": stamp(given.Created), "lastUpdated": stamp(given.Updated), "statusChanged": stamp(given.Created), "passwordChanged": nil, "scope": scope, "status": "ACTIVE",
		"syncState": "DISABLED", "credentials": map[string]any{"userName": given.NameID}, "profile": map[string]any{},
		"_links": map[string]any{"self": c.link(path + "/users/" + u.ID), "app": c.link(path), "user": c.link("/api/v1/users/" + u.ID)},
	}
}

// listed says that the app is assigned to the user, and not by a group.
func listed(a *mockidp.App, u mockidp.User) bool {
	return slices.ContainsFunc(a.Users, func(l string) bool { return mockidp.SameLogin(l, u.Login) })
}

func (s *API) listAppUsers(c *call, v view, a *mockidp.App) *apiError {
	list := slices.DeleteFunc(v.Users(), func(u mockidp.User) bool { return !a.AssignedTo(u) })
	return paged(c, list, 500, byLogin, func(u mockidp.User) map[string]any { return s.appUserJSON(c, v, a, u) })
}

func (s *API) showAppUser(c *call) *apiError {
	return s.shownAppUser(c, c.r.PathValue("app"), c.r.PathValue("user"))
}

func (s *API) shownAppUser(c *call, appID, user string) *apiError {
	v := s.view()
	a, ok := v.App(appID)
	if !ok || appID == "" {
		return notFound(appID, "AppInstance")
	}
	u, ok := v.find(user)
	if !ok {
		return notFound(user, "User")
	}
	if !a.AssignedTo(u) {
		return notFound(u.ID, "AppUser")
	}
	return c.ok(s.appUserJSON(c, v, &a, u))
}

type assignmentBody struct {
	ID string `json:"id"`
}

func (s *API) assignUser(c *call, body assignmentBody) *apiError {
	return s.withApp(func(c *call, v view, a *mockidp.App) *apiError {
		u, ok := v.UserByID(body.ID)
		if !ok {
			return notFound(body.ID, "User")
		}
		err := s.idp.UpdateApp(a.ID, func(a *mockidp.App) error {
			if !listed(a, u) {
				a.Users = append(a.Users, u.Login)
			}
			return nil
		})
		if err != nil {
			return fromError(err, u.ID)
		}
		return s.shownAppUser(c, a.ID, u.ID)
	})(c)
}

func (s *API) unassignUser(c *call, _ view, a *mockidp.App) *apiError {
	return s.withUser(func(c *call, _ view, u mockidp.User) *apiError {
		if !listed(a, u) {
			return notFound(u.ID, "AppUser")
		}
		err := s.idp.UpdateApp(a.ID, func(a *mockidp.App) error {
			a.Users = slices.DeleteFunc(a.Users, func(l string) bool { return mockidp.SameLogin(l, u.Login) })
			return nil
		})
		return c.done(err, a.ID)
	})(c)
}

func (s *API) appGroupJSON(c *call, v view, a *mockidp.App, g mockidp.Group) map[string]any {
	path := "/api/v1/apps/" + a.ID
	return map[string]any{
		"id": g.ID, "lastUpdated": stamp(v.GroupAssigned(a.ID, g.ID)), "priority": max(slices.Index(a.Groups, g.Name), 0), "profile": map[string]any{},
		"_links": map[string]any{"self": c.link(path + "/groups/" + g.ID), "app": c.link(path), "group": c.link("/api/v1/groups/" + g.ID)},
	}
}

func (s *API) listAppGroups(c *call, v view, a *mockidp.App) *apiError {
	list := slices.DeleteFunc(v.allGroups(), func(g mockidp.Group) bool { return !slices.Contains(a.Groups, g.Name) })
	return paged(c, list, 200, byName, func(g mockidp.Group) map[string]any { return s.appGroupJSON(c, v, a, g) })
}

// withAppGroup makes a handler of one that gets the app and the group that the
// path names.
func (s *API) withAppGroup(h func(*call, view, *mockidp.App, mockidp.Group) *apiError) handler {
	return s.withApp(func(c *call, _ view, a *mockidp.App) *apiError {
		return s.withGroup(func(c *call, v view, g mockidp.Group) *apiError { return h(c, v, a, g) })(c)
	})
}

func (s *API) showAppGroup(c *call, v view, a *mockidp.App, g mockidp.Group) *apiError {
	if !slices.Contains(a.Groups, g.Name) {
		return notFound(g.ID, "ApplicationGroupAssignment")
	}
	return c.ok(s.appGroupJSON(c, v, a, g))
}

func (s *API) assignGroup(c *call, _ view, a *mockidp.App, g mockidp.Group) *apiError {
	err := s.idp.UpdateApp(a.ID, func(a *mockidp.App) error {
		if !slices.Contains(a.Groups, g.Name) {
			a.Groups = append(a.Groups, g.Name)
		}
		return nil
	})
	if err != nil {
		return fromError(err, g.ID)
	}
	return s.withAppGroup(s.showAppGroup)(c)
}

func (s *API) unassignGroup(c *call, _ view, a *mockidp.App, g mockidp.Group) *apiError {
	if !slices.Contains(a.Groups, g.Name) {
		return notFound(g.ID, "ApplicationGroupAssignment")
	}
	return c.done(s.idp.UpdateApp(a.ID, func(a *mockidp.App) error {
		a.Groups = slices.DeleteFunc(a.Groups, func(name string) bool { return name == g.Name })
		return nil
	}), g.ID)
}
