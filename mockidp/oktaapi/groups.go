package oktaapi

import (
	"net/http"
	"slices"
	"strings"

	"github.com/meridian-saml/meridian/mockidp"
)

func groupRoutes(api router) {
	api("POST /api/v1/groups", withBody((*call).createGroup))
	api("GET /api/v1/groups", (*call).listGroups)
	api("GET /api/v1/groups/{group}", (*call).showGroup)
	api("PUT /api/v1/groups/{group}", withBody((*call).editGroup))
	api("DELETE /api/v1/groups/{group}", func(c *call) *apiError {
		return c.done(c.idp.RemoveGroup(c.group.Name), c.group.ID)
	})
	api("GET /api/v1/groups/{group}/users", (*call).listMembers)
	api("PUT /api/v1/groups/{group}/users/{user}", func(c *call) *apiError { return c.setMember(true) })
	api("DELETE /api/v1/groups/{group}/users/{user}", func(c *call) *apiError { return c.setMember(false) })
	api("GET /api/v1/groups/{group}/apps", func(c *call) *apiError {
		apps := slices.DeleteFunc(c.Apps(), func(a mockidp.App) bool { return !slices.Contains(a.Groups, c.group.Name) })
		return c.ok(shown(apps, c.appJSON))
	})
}

// The keys that lists are sorted by.
func byLogin(u mockidp.User) string { return strings.ToLower(u.Login) }
func byName(g mockidp.Group) string { return g.Name }
func byID(a mockidp.App) string     { return a.ID }

func groupType(g mockidp.Group) string {
	if g.Name == mockidp.Everyone {
		return "BUILT_IN"
	}
	return "OKTA_GROUP"
}

func (c *call) groupJSON(g mockidp.Group) object {
	at, path := c.GroupTimes(g.ID), "/api/v1/groups/"+g.ID
	return object{
		"id": g.ID, "created": stamp(at.Created), "lastUpdated": stamp(at.Updated),
		"lastMembershipUpdated": stamp(at.Membership), "objectClass": []string{"okta:user_group"}, "type": groupType(g),
		"profile": object{"name": g.Name, "description": g.Description},
		"_links":  object{"users": c.link(path + "/users"), "apps": c.link(path + "/apps")},
	}
}

func (c *call) showGroup() *apiError { return c.ok(c.groupJSON(c.group)) }

type groupBody struct {
	Profile struct {
		Name        string `json:"name"`
		Description string `json:"description"`
	} `json:"profile"`
}

func (c *call) createGroup(body groupBody) *apiError {
	err := c.idp.Update(func(all *mockidp.Change) error {
		name := body.Profile.Name
		if _, taken := all.Group(name); taken {
			return invalid("name", "An object with this field already exists in the current organization")
		}
		err := all.PutGroup(mockidp.Group{Name: name, Description: body.Profile.Description})
		c.group, _ = all.Group(name)
		return err
	})
	return c.changed(err, "name", (*call).showGroup)
}

func (c *call) editGroup(body groupBody) *apiError {
	g := c.group
	g.Name, g.Description = body.Profile.Name, body.Profile.Description
	err := c.idp.Update(func(all *mockidp.Change) error {
		if err := all.RenameGroup(c.group.Name, g.Name); err != nil {
			return err
		}
		return all.PutGroup(g)
	})
	return c.changed(err, "name", (*call).showGroup)
}

func (c *call) listGroups() *apiError {
	list := slices.DeleteFunc(c.allGroups(), func(g mockidp.Group) bool { return !c.hasPrefix(g.Name) })
	return searched(c, list, 1000, byName, c.groupFields, c.groupJSON)
}

func (c *call) listMembers() *apiError {
	list := slices.DeleteFunc(c.Users(), func(u mockidp.User) bool { return !u.In(c.group.Name) })
	return paged(c, list, 1000, byLogin, c.userJSON)
}

// setMember adds a user to a group, or removes one.
func (c *call) setMember(in bool) *apiError {
	if c.group.Name == mockidp.Everyone {
		return refuse(http.StatusForbidden, "E0000006", "You do not have permission to perform the requested action",
			"every user is in Everyone")
	}
	err := c.idp.UpdateUser(c.user.Login, func(u *mockidp.User) error {
		u.Groups = slices.DeleteFunc(u.Groups, func(name string) bool { return name == c.group.Name })
		if in {
			u.Groups = append(u.Groups, c.group.Name)
		}
		return nil
	})
	return c.done(err, c.user.ID)
}
