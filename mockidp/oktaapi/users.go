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

func (s *API) userRoutes(api func(string, handler)) {
	api("POST /api/v1/users", withBody(s.createUser))
	api("GET /api/v1/users", s.listUsers)
	api("GET /api/v1/users/{user}", s.withUser(func(c *call, v view, u mockidp.User) *apiError { return c.ok(s.userJSON(c, v, u)) }))
	api("POST /api/v1/users/{user}", withBody(func(c *call, b userBody) *apiError { return s.editUser(c, b, false) }))
	api("PUT /api/v1/users/{user}", withBody(func(c *call, b userBody) *apiError { return s.editUser(c, b, true) }))
	api("DELETE /api/v1/users/{user}", s.withUser(s.deleteUser))
	api("POST /api/v1/users/{user}/lifecycle/{does}", s.userLifecycle)
	api("GET /api/v1/users/{user}/appLinks", s.withUser(s.userAppLinks))
	api("GET /api/v1/users/{user}/groups", s.withUser(func(c *call, v view, u mockidp.User) *apiError {
		everyone, _ := v.Group(mockidp.Everyone)
		out := []any{s.groupJSON(c, v, everyone)}
		for _, name := range u.Groups {
			if g, ok := v.Group(name); ok && name != mockidp.Everyone {
				out = append(out, s.groupJSON(c, v, g))
			}
		}
		return c.ok(out)
	}))
}

// withUser makes a handler of one that gets the user that the path names.
func (s *API) withUser(h func(*call, view, mockidp.User) *apiError) handler {
	return func(c *call) *apiError {
		v := s.view()
		if u, ok := v.find(c.r.PathValue("user")); ok {
			return h(c, v, u)
		}
		return notFound(c.r.PathValue("user"), "User")
	}
}

// user finds one that a body or a query names.
func (s *API) user(name string) (mockidp.User, *apiError) {
	u, ok := s.view().find(name)
	if !ok {
		return u, notFound(name, "User")
	}
	return u, nil
}

func (s *API) createUser(c *call, body userBody) *apiError {
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
	err := s.idp.Update(func(all *mockidp.Change) error {
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
		u, _ = all.User(u.Login)
		return err
	})
	if err != nil {
		return fromError(err, "login")
	}
	return s.shownUser(c, u.ID)
}

// shownUser is the answer for a user after a change.
func (s *API) shownUser(c *call, id string) *apiError {
	v := s.view()
	if u, ok := v.UserByID(id); ok {
		return c.ok(s.userJSON(c, v, u))
	}
	return notFound(id, "User")
}

// listUsers leaves out who is deprovisioned, unless a filter or a search asks.
func (s *API) listUsers(c *call) *apiError {
	v, query := s.view(), c.r.URL.Query()
	selects := query.Get("filter") != "" || query.Get("search") != ""
	list := slices.DeleteFunc(v.Users(), func(u mockidp.User) bool {
		return !selects && u.Status == mockidp.Deprovisioned || !c.asksFor(u.Login, u.Email, u.FirstName, u.LastName)
	})
	return searched(c, list, 200, byLogin, v.userFields, func(u mockidp.User) string { return u.ID },
		func(u mockidp.User) map[string]any { return s.userJSON(c, v, u) })
}

// editUser is POST, which changes what is there, and PUT, which replaces the
// profile. Both may rename.
func (s *API) editUser(c *call, body userBody, whole bool) *apiError {
	id := c.r.PathValue("user")
	err := s.idp.Update(func(all *mockidp.Change) error {
		u, ok := view{all.Snapshot}.find(id)
		if !ok {
			return notFound(id, "User")
		}
		id = u.ID
		login := body.login()
		if login == "" && whole {
			return invalid("login", "The field cannot be left blank")
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
	if err != nil {
		return fromError(err, "login")
	}
	return s.shownUser(c, id)
}

// deleteUser deactivates first, and deletes who is deactivated already.
func (s *API) deleteUser(c *call, _ view, u mockidp.User) *apiError {
	if u.Status == mockidp.Deprovisioned {
		return c.done(s.idp.RemoveUser(u.Login), u.ID)
	}
	return c.done(s.idp.UpdateUser(u.Login, func(u *mockidp.User) error { u.Status = mockidp.Deprovisioned; return nil }), u.ID)
}

func (s *API) userLifecycle(c *call) *apiError {
	does := c.r.PathValue("does")
	move, known := map[string]struct {
		from []mockidp.UserStatus
		to   mockidp.UserStatus
	}{
		"activate":   {[]mockidp.UserStatus{mockidp.Staged, mockidp.Deprovisioned}, mockidp.Active},
		"reactivate": {[]mockidp.UserStatus{mockidp.Staged, mockidp.Deprovisioned}, mockidp.Active},
		"deactivate": {[]mockidp.UserStatus{mockidp.Active, mockidp.LockedOut, mockidp.Suspended, mockidp.Staged}, mockidp.Deprovisioned},
		"suspend":    {[]mockidp.UserStatus{mockidp.Active}, mockidp.Suspended},
		"unsuspend":  {[]mockidp.UserStatus{mockidp.Suspended}, mockidp.Active},
		"unlock":     {[]mockidp.UserStatus{mockidp.LockedOut}, mockidp.Active},
	}[does]
	if !known {
		return notFound(does, "Lifecycle")
	}
	return s.withUser(func(c *call, _ view, u mockidp.User) *apiError {
		if does == "deactivate" && u.Status == mockidp.Deprovisioned {
			return c.ok(map[string]any{})
		}
		err := s.idp.UpdateUser(u.Login, func(u *mockidp.User) error {
			if !slices.Contains(move.from, u.Status) {
				if does == "activate" {
					return &apiError{Status: http.StatusForbidden, Code: "E0000016", Summary: "Activation failed because the user is already active"}
				}
				return wrongStatus("the user is " + statusWords[u.Status])
			}
			u.Status = move.to
			return nil
		})
		if err != nil {
			return fromError(err, u.ID)
		}
		if move.to == mockidp.Active && strings.HasSuffix(does, "activate") {
			return c.ok(map[string]any{"activationUrl": s.idp.SignInURL(), "activationToken": ""})
		}
		return c.ok(map[string]any{})
	})(c)
}

// userAppLinks are the tiles.
func (s *API) userAppLinks(c *call, v view, u mockidp.User) *apiError {
	out := []any{}
	for _, a := range v.Apps() {
		if a.Inactive || !a.AssignedTo(u) {
			continue
		}
		sum := sha256.Sum256([]byte(a.ID + "\x00" + u.ID))
		id := hex.EncodeToString(sum[:])[:17]
		out = append(out, map[string]any{
			"id": "aln" + id, "label": a.Label, "linkUrl": v.TileURL(a.ID), "logoUrl": c.base + pathAssets + "icon.svg",
			"appName": oktaName(&a), "appInstanceId": a.ID, "appAssignmentId": "0ua" + id,
			"credentialsSetup": false, "hidden": false, "sortOrder": len(out),
		})
	}
	return c.ok(out)
}
