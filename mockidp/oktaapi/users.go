package oktaapi

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"

	"net/http"
	"slices"
	"strings"

	"github.com/meridian-saml/meridian/mockidp"
)

func userRoutes(api router) {
	api("POST /api/v1/users", withBody((*call).createUser))
	api("GET /api/v1/users", (*call).listUsers)
	api("GET /api/v1/users/{user}", (*call).showUser)
	api("POST /api/v1/users/{user}", withBody(func(c *call, b userBody) *apiError { return c.editUser(b, false) }))
	api("PUT /api/v1/users/{user}", withBody(func(c *call, b userBody) *apiError { return c.editUser(b, true) }))
	api("DELETE /api/v1/users/{user}", (*call).deleteUser)
	api("POST /api/v1/users/{user}/lifecycle/{transition}", (*call).userLifecycle)
	api("GET /api/v1/users/{user}/appLinks", (*call).userAppLinks)
	api("GET /api/v1/users/{user}/groups", func(c *call) *apiError {
		everyone, _ := c.Group(mockidp.Everyone)
		out := []object{c.groupJSON(everyone)}
		for _, name := range c.user.Groups {
			if g, ok := c.Group(name); ok && name != mockidp.Everyone {
				out = append(out, c.groupJSON(g))
			}
		}
		return c.ok(out)
	})
}

func (c *call) showUser() *apiError { return c.ok(c.userJSON(c.user)) }

func (c *call) createUser(body userBody) *apiError {
	u := mockidp.User{Login: body.login()}
	if c.r.URL.Query().Get("activate") == "false" {
		u.Status = mockidp.Staged
	}
	if err := body.into(&u, true); err != nil {
		return fromError(err, "login")
	}
	if u.Login == "" {
		return invalid("login", "The field cannot be left blank")
	}
	err := c.idp.Update(func(all *mockidp.Change) error {
		if _, taken := all.User(u.Login); taken {
			return invalid("login", "An object with this field already exists in the current organization")
		}
		for _, id := range body.GroupIDs {
			g, ok := all.GroupByID(id)
			if !ok {
				return notFound(id, "UserGroup")
			}
			if g.Name != mockidp.Everyone && !slices.Contains(u.Groups, g.Name) {
				u.Groups = append(u.Groups, g.Name)
			}
		}
		err := all.AddUser(u)
		c.user, _ = all.User(u.Login)
		return err
	})
	return c.changed(err, "login", (*call).showUser)
}

// listUsers omits deprovisioned users, unless there is a filter or a search.
func (c *call) listUsers() *apiError {
	query := c.r.URL.Query()
	selects := query.Get("filter") != "" || query.Get("search") != ""
	list := slices.DeleteFunc(c.Users(), func(u mockidp.User) bool {
		return !selects && u.Status == mockidp.Deprovisioned || !c.hasPrefix(u.Login, u.Email, u.FirstName, u.LastName)
	})
	return searched(c, list, 200, byLogin, c.userFields, c.userJSON)
}

// editUser is POST, which changes the profile, and PUT, which replaces it. Both may rename.
func (c *call) editUser(body userBody, whole bool) *apiError {
	login := body.login()
	if login == "" && whole {
		return invalid("login", "The field cannot be left blank")
	}
	err := c.idp.Update(func(all *mockidp.Change) error {
		u, ok := all.UserByID(c.user.ID)
		if !ok {
			return notFound(c.user.ID, "User")
		}
		if login != "" && login != u.Login {
			if err := all.RenameUser(u.Login, login); err != nil {
				return err
			}
		}
		return all.UpdateUser(cmp.Or(login, u.Login), func(u *mockidp.User) error {
			return body.into(u, whole && body.Profile != nil)
		})
	})
	return c.changed(err, "login", (*call).showUser)
}

// deleteUser deactivates a user, and deletes one who is deactivated.
func (c *call) deleteUser() *apiError {
	if c.user.Status == mockidp.Deprovisioned {
		return c.done(c.idp.RemoveUser(c.user.Login), c.user.ID)
	}
	err := c.idp.UpdateUser(c.user.Login, func(u *mockidp.User) error {
		u.Status = mockidp.Deprovisioned
		return nil
	})
	return c.done(err, c.user.ID)
}

// transitions are the lifecycle operations.
var transitions = map[string]struct {
	from []mockidp.UserStatus
	to   mockidp.UserStatus
}{
	"activate":   {[]mockidp.UserStatus{mockidp.Staged, mockidp.Deprovisioned}, mockidp.Active},
	"reactivate": {[]mockidp.UserStatus{mockidp.Staged, mockidp.Deprovisioned}, mockidp.Active},
	"deactivate": {[]mockidp.UserStatus{mockidp.Active, mockidp.LockedOut, mockidp.Suspended, mockidp.Staged},
		mockidp.Deprovisioned},
	"suspend":   {[]mockidp.UserStatus{mockidp.Active}, mockidp.Suspended},
	"unsuspend": {[]mockidp.UserStatus{mockidp.Suspended}, mockidp.Active},
	"unlock":    {[]mockidp.UserStatus{mockidp.LockedOut}, mockidp.Active},
}

func (c *call) userLifecycle() *apiError {
	name := c.r.PathValue("transition")
	move, known := transitions[name]
	if !known {
		return notFound(name, "Lifecycle")
	}
	if name == "deactivate" && c.user.Status == mockidp.Deprovisioned {
		return c.ok(object{})
	}
	err := c.idp.UpdateUser(c.user.Login, func(u *mockidp.User) error {
		if !slices.Contains(move.from, u.Status) {
			if name == "activate" {
				return refuse(http.StatusForbidden, "E0000016", "Activation failed because the user is already active")
			}
			return refuse(http.StatusForbidden, "E0000038", "This operation is not allowed in the user's current status.",
				"the user is "+statusWords[u.Status])
		}
		u.Status = move.to
		return nil
	})
	if err != nil {
		return fromError(err, c.user.ID)
	}
	if strings.HasSuffix(name, "activate") && move.to == mockidp.Active {
		return c.ok(object{"activationUrl": c.idp.SignInURL(), "activationToken": ""})
	}
	return c.ok(object{})
}

// userAppLinks lists the apps on the user's dashboard.
func (c *call) userAppLinks() *apiError {
	out := []object{}
	for _, a := range c.Apps() {
		if a.Inactive || !a.AssignedTo(c.user) {
			continue
		}
		sum := sha256.Sum256([]byte(a.ID + "\x00" + c.user.ID))
		id := hex.EncodeToString(sum[:])[:17]
		out = append(out, object{
			"id": "aln" + id, "label": a.Label, "linkUrl": c.TileURL(a.ID), "logoUrl": c.base + pathAssets + "icon.svg",
			"appName": oktaName(a), "appInstanceId": a.ID, "appAssignmentId": "0ua" + id,
			"credentialsSetup": false, "hidden": false, "sortOrder": len(out),
		})
	}
	return c.ok(out)
}
