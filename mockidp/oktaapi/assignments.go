package oktaapi

import (
	"slices"

	"github.com/meridian-saml/meridian/mockidp"
)

// appUserJSON is an assignment. The app's NameIDTemplate makes its name for the user, so the name can't be set
// here.
func (c *call) appUserJSON(u mockidp.User) object {
	given, _ := c.Assignment(c.app.ID, u.ID)
	scope := "GROUP"
	if given.Direct {
		scope = "USER"
	}
	path := "/api/v1/apps/" + c.app.ID
	return object{
		"id": u.ID, "externalId": nil, "created": stamp(given.Created), "lastUpdated": stamp(given.Updated),
		"statusChanged": stamp(given.Created), "passwordChanged": nil, "scope": scope, "status": "ACTIVE",
		"syncState": "DISABLED", "credentials": object{"userName": given.NameID}, "profile": object{},
		"_links": object{
			"self": c.link(path + "/users/" + u.ID), "app": c.link(path), "user": c.link("/api/v1/users/" + u.ID),
		},
	}
}

// assigned reports whether the app is assigned to the user directly.
func assigned(a *mockidp.App, u mockidp.User) bool {
	return slices.ContainsFunc(a.Users, func(login string) bool { return mockidp.SameLogin(login, u.Login) })
}

func (c *call) listAppUsers() *apiError {
	list := slices.DeleteFunc(c.Users(), func(u mockidp.User) bool { return !c.app.AssignedTo(u) })
	return paged(c, list, 500, byLogin, c.appUserJSON)
}

func (c *call) showAppUser() *apiError {
	if !c.app.AssignedTo(c.user) {
		return notFound(c.user.ID, "AppUser")
	}
	return c.ok(c.appUserJSON(c.user))
}

type assignmentBody struct {
	ID string `json:"id"`
}

func (c *call) assignUser(body assignmentBody) *apiError {
	var ok bool
	if c.user, ok = c.UserByID(body.ID); !ok {
		return notFound(body.ID, "User")
	}
	err := c.idp.UpdateApp(c.app.ID, func(a *mockidp.App) error {
		if !assigned(a, c.user) {
			a.Users = append(a.Users, c.user.Login)
		}
		return nil
	})
	return c.changed(err, c.user.ID, (*call).showAppUser)
}

func (c *call) unassignUser() *apiError {
	if !assigned(&c.app, c.user) {
		return notFound(c.user.ID, "AppUser")
	}
	err := c.idp.UpdateApp(c.app.ID, func(a *mockidp.App) error {
		a.Users = slices.DeleteFunc(a.Users, func(login string) bool { return mockidp.SameLogin(login, c.user.Login) })
		return nil
	})
	return c.done(err, c.app.ID)
}

func (c *call) appGroupJSON(g mockidp.Group) object {
	path := "/api/v1/apps/" + c.app.ID
	return object{
		"id": g.ID, "lastUpdated": stamp(c.GroupAssigned(c.app.ID, g.ID)),
		"priority": max(slices.Index(c.app.Groups, g.Name), 0), "profile": object{},
		"_links": object{
			"self": c.link(path + "/groups/" + g.ID), "app": c.link(path), "group": c.link("/api/v1/groups/" + g.ID),
		},
	}
}

func (c *call) listAppGroups() *apiError {
	list := slices.DeleteFunc(c.allGroups(), func(g mockidp.Group) bool { return !slices.Contains(c.app.Groups, g.Name) })
	return paged(c, list, 200, byName, c.appGroupJSON)
}

func (c *call) showAppGroup() *apiError {
	if !slices.Contains(c.app.Groups, c.group.Name) {
		return notFound(c.group.ID, "ApplicationGroupAssignment")
	}
	return c.ok(c.appGroupJSON(c.group))
}

func (c *call) assignGroup() *apiError {
	err := c.idp.UpdateApp(c.app.ID, func(a *mockidp.App) error {
		if !slices.Contains(a.Groups, c.group.Name) {
			a.Groups = append(a.Groups, c.group.Name)
		}
		return nil
	})
	return c.changed(err, c.group.ID, (*call).showAppGroup)
}

func (c *call) unassignGroup() *apiError {
	if !slices.Contains(c.app.Groups, c.group.Name) {
		return notFound(c.group.ID, "ApplicationGroupAssignment")
	}
	err := c.idp.UpdateApp(c.app.ID, func(a *mockidp.App) error {
		a.Groups = slices.DeleteFunc(a.Groups, func(name string) bool { return name == c.group.Name })
		return nil
	})
	return c.done(err, c.group.ID)
}
