package mockidp

import (
	"net/http"
	"slices"
	"strings"
)

func (s *Server) userRoutes(api func(string, func(*call) *apiError)) {
	api("POST /api/v1/users", s.createUser)
	api("GET /api/v1/users", s.listUsers)
	api("GET /api/v1/users/{user}", func(c *call) *apiError {
		return s.withUser(c, func(st *state, u *User) *apiError { return c.ok(s.userJSON(c, st, u)) })
	})
	api("POST /api/v1/users/{user}", func(c *call) *apiError { return s.editUser(c, false) })
	api("PUT /api/v1/users/{user}", func(c *call) *apiError { return s.editUser(c, true) })
	api("DELETE /api/v1/users/{user}", s.deleteUser)
	api("POST /api/v1/users/{user}/lifecycle/{does}", s.userLifecycle)
	api("GET /api/v1/users/{user}/appLinks", s.userAppLinks)
	api("GET /api/v1/users/{user}/groups", func(c *call) *apiError {
		return s.withUser(c, func(st *state, u *User) *apiError {
			out := []any{s.groupJSON(c, st, everyone)}
			for _, name := range u.Groups {
				if name != Everyone {
					out = append(out, s.groupJSON(c, st, st.groups[name]))
				}
			}
			return c.ok(out)
		})
	})
}

// find takes an ID, a login, or as Okta the part of a login before the @.
func (st *state) find(key string) *User {
	if u := st.userByID(key); u != nil {
		return u
	}
	if u := st.user(key); u != nil || strings.Contains(key, "@") {
		return u
	}
	var found *User
	for login, u := range st.users {
		if short, _, _ := strings.Cut(login, "@"); short == loginKey(key) {
			if found != nil {
				return nil // two of them: neither
			}
			found = u
		}
	}
	return found
}

// withUser finds the user that the path names.
func (s *Server) withUser(c *call, f func(*state, *User) *apiError) *apiError {
	st := s.state.Load()
	if u := st.find(c.r.PathValue("user")); u != nil {
		return f(st, u)
	}
	return notFound(c.r.PathValue("user"), "User")
}

func (s *Server) createUser(c *call) *apiError {
	var body userBody
	if err := c.read(&body, false); err != nil {
		return err
	}
	u := User{Login: body.login()}
	if c.r.URL.Query().Get("activate") == "false" {
		u.Status = Staged
	}
	if err := body.into(&u, true); err != nil {
		return err
	}
	if u.Login == "" {
		return invalid("login", "The field cannot be left blank")
	}
	id := ""
	err := s.change(func(st *state) error {
		if st.user(u.Login) != nil {
			return invalid("login", "An object with this field already exists in the current organization")
		}
		for _, id := range body.GroupIDs {
			g, ok := st.groupByID(id)
			if !ok {
				return notFound(id, "UserGroup")
			}
			if g.Name != Everyone && !slices.Contains(u.Groups, g.Name) {
				u.Groups = append(u.Groups, g.Name)
			}
		}
		if err := st.putUser(u); err != nil {
			return err
		}
		id = st.user(u.Login).ID
		return nil
	})
	if err != nil {
		return fromError(err, "login")
	}
	return s.shownUser(c, id)
}

// shownUser is the answer for a user after a change.
func (s *Server) shownUser(c *call, id string) *apiError {
	st := s.state.Load()
	if u := st.userByID(id); u != nil {
		return c.ok(s.userJSON(c, st, u))
	}
	return notFound(id, "User")
}

// listUsers leaves out who is deprovisioned, unless a filter or a search asks.
func (s *Server) listUsers(c *call) *apiError {
	query := c.r.URL.Query()
	q, asked := strings.ToLower(query.Get("q")), query.Get("filter") != "" || query.Get("search") != ""
	st := s.state.Load()
	var list []*User
	for _, u := range st.sortedUsers() {
		if !asked && u.Status == Deprovisioned {
			continue
		}
		starts := func(text string) bool { return strings.HasPrefix(strings.ToLower(text), q) }
		if starts(u.Login) || starts(u.Email) || starts(u.FirstName) || starts(u.LastName) {
			list = append(list, u)
		}
	}
	list, err := selected(c, list, st.userFields)
	if err != nil {
		return err
	}
	list, by, err := sorted(c, list, byLogin, st.userFields, func(u *User) string { return u.ID })
	if err != nil {
		return err
	}
	return paged(c, list, 200, by, func(u *User) map[string]any { return s.userJSON(c, st, u) })
}

// editUser is POST, which changes what is there, and PUT, which replaces the
// profile. Both may rename.
func (s *Server) editUser(c *call, whole bool) *apiError {
	var body userBody
	if err := c.read(&body, false); err != nil {
		return err
	}
	id := c.r.PathValue("user")
	err := s.Update(func(all *Change) error {
		u := all.st.find(id)
		if u == nil {
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
		return all.UpdateUser(or(login, u.Login), func(u *User) error {
			if err := body.into(u, whole && body.Profile != nil); err != nil {
				return err
			}
			return nil
		})
	})
	if err != nil {
		return fromError(err, "login")
	}
	return s.shownUser(c, id)
}

// deleteUser deactivates first, and deletes who is deactivated already.
func (s *Server) deleteUser(c *call) *apiError {
	return s.withUser(c, func(_ *state, u *User) *apiError {
		err := error(nil)
		if u.Status == Deprovisioned {
			err = s.RemoveUser(u.Login)
		} else {
			err = s.UpdateUser(u.Login, func(u *User) error { u.Status = Deprovisioned; return nil })
		}
		return c.done(err, u.ID)
	})
}

func (s *Server) userLifecycle(c *call) *apiError {
	does := c.r.PathValue("does")
	move, known := map[string]struct {
		from []UserStatus
		to   UserStatus
	}{
		"activate":   {[]UserStatus{Staged, Deprovisioned}, Active},
		"reactivate": {[]UserStatus{Staged, Deprovisioned}, Active},
		"deactivate": {[]UserStatus{Active, LockedOut, Suspended, Staged}, Deprovisioned},
		"suspend":    {[]UserStatus{Active}, Suspended},
		"unsuspend":  {[]UserStatus{Suspended}, Active},
		"unlock":     {[]UserStatus{LockedOut}, Active},
	}[does]
	if !known {
		return notFound(does, "Lifecycle")
	}
	return s.withUser(c, func(_ *state, u *User) *apiError {
		if does == "deactivate" && u.Status == Deprovisioned {
			return c.ok(map[string]any{})
		}
		err := s.UpdateUser(u.Login, func(u *User) error {
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
		if move.to == Active && strings.HasSuffix(does, "activate") {
			return c.ok(map[string]any{"activationUrl": s.SignInURL(), "activationToken": ""})
		}
		return c.ok(map[string]any{})
	})
}

// userAppLinks are the tiles.
func (s *Server) userAppLinks(c *call) *apiError {
	return s.withUser(c, func(st *state, u *User) *apiError {
		out := []any{}
		for _, a := range st.apps {
			if !a.openTo(u) {
				continue
			}
			out = append(out, map[string]any{
				"id": "aln" + derivedID("tile", a.ID+u.ID, 0), "label": a.Label, "linkUrl": s.tileURL(a), "logoUrl": s.base() + pathAssets + "icon.svg",
				"appName": a.oktaName(), "appInstanceId": a.ID, "appAssignmentId": "0ua" + derivedID("assigned", a.ID+u.ID, 0),
				"credentialsSetup": false, "hidden": false, "sortOrder": len(out),
			})
		}
		return c.ok(out)
	})
}
