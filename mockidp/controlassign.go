package mockidp

import "slices"

// appUserJSON is an assignment. The app's name for the user is made by its
// NameIDTemplate, so there is none to be set here.
func (s *Server) appUserJSON(c *call, st *state, a *App, u *User) map[string]any {
	created, updated := st.assigned(a, u)
	scope := "USER"
	if !a.listsUser(u) {
		scope = "GROUP"
	}
	name := u.Login
	if a.Kind == SAML {
		if n, err := a.nameID(u); err == nil {
			name = n
		}
	}
	path := "/api/v1/apps/" + a.ID
	return map[string]any{
		"id": u.ID, "externalId": nil, "created": stamp(created), "lastUpdated": stamp(updated), "statusChanged": stamp(created), "passwordChanged": nil, "scope": scope, "status": "ACTIVE",
		"syncState": "DISABLED", "credentials": map[string]any{"userName": name}, "profile": map[string]any{},
		"_links": map[string]any{"self": c.link(path + "/users/" + u.ID), "app": c.link(path), "user": c.link("/api/v1/users/" + u.ID)},
	}
}

func (s *Server) listAppUsers(c *call) *apiError {
	return s.withApp(c, func(st *state, a *App) *apiError {
		list := slices.DeleteFunc(st.sortedUsers(), func(u *User) bool { return !a.AssignedTo(*u) })
		return paged(c, list, 500, byLogin, func(u *User) map[string]any { return s.appUserJSON(c, st, a, u) })
	})
}

func (s *Server) showAppUser(c *call) *apiError {
	return s.shownAppUser(c, c.r.PathValue("app"), func(st *state) *User { return st.find(c.r.PathValue("user")) })
}

func (s *Server) shownAppUser(c *call, appID string, find func(*state) *User) *apiError {
	st := s.state.Load()
	a, err := st.app(appID)
	if err != nil || appID == "" {
		return notFound(appID, "AppInstance")
	}
	u := find(st)
	if u == nil {
		return notFound(c.r.PathValue("user"), "User")
	}
	if !a.AssignedTo(*u) {
		return notFound(u.ID, "AppUser")
	}
	return c.ok(s.appUserJSON(c, st, a, u))
}

func (s *Server) assignUser(c *call) *apiError {
	var body struct {
		ID string `json:"id"`
	}
	if err := c.read(&body, false); err != nil {
		return err
	}
	return s.withApp(c, func(st *state, a *App) *apiError {
		u := st.userByID(body.ID)
		if u == nil {
			return notFound(body.ID, "User")
		}
		err := s.UpdateApp(a.ID, func(a *App) error {
			if !a.listsUser(u) {
				a.Users = append(a.Users, u.Login)
			}
			return nil
		})
		if err != nil {
			return fromError(err, u.ID)
		}
		return s.shownAppUser(c, a.ID, func(st *state) *User { return st.userByID(u.ID) })
	})
}

func (s *Server) unassignUser(c *call) *apiError {
	return s.withApp(c, func(_ *state, a *App) *apiError {
		return s.withUser(c, func(_ *state, u *User) *apiError {
			if !a.listsUser(u) {
				return notFound(u.ID, "AppUser")
			}
			err := s.UpdateApp(a.ID, func(a *App) error {
				a.Users = slices.DeleteFunc(a.Users, func(l string) bool { return SameLogin(l, u.Login) })
				return nil
			})
			return c.done(err, a.ID)
		})
	})
}

func (s *Server) appGroupJSON(c *call, st *state, a *App, g Group) map[string]any {
	path := "/api/v1/apps/" + a.ID
	return map[string]any{
		"id": g.ID, "lastUpdated": stamp(latest(st.times.apps[a.ID].groups[g.ID], st.times.groups[g.ID].Created)), "priority": max(slices.Index(a.Groups, g.Name), 0), "profile": map[string]any{},
		"_links": map[string]any{"self": c.link(path + "/groups/" + g.ID), "app": c.link(path), "group": c.link("/api/v1/groups/" + g.ID)},
	}
}

func (s *Server) listAppGroups(c *call) *apiError {
	return s.withApp(c, func(st *state, a *App) *apiError {
		list := slices.DeleteFunc(st.allGroups(), func(g Group) bool { return !slices.Contains(a.Groups, g.Name) })
		return paged(c, list, 200, byName, func(g Group) map[string]any { return s.appGroupJSON(c, st, a, g) })
	})
}

// appGroup assigns a group, takes it away, or (nil) shows that it is assigned.
func (s *Server) appGroup(c *call, in *bool) *apiError {
	return s.withApp(c, func(st *state, a *App) *apiError {
		return s.withGroup(c, func(_ *state, g Group) *apiError {
			has := slices.Contains(a.Groups, g.Name)
			if !has && (in == nil || !*in) {
				return notFound(g.ID, "ApplicationGroupAssignment")
			}
			if in == nil {
				return c.ok(s.appGroupJSON(c, st, a, g))
			}
			err := s.UpdateApp(a.ID, func(a *App) error {
				if has = slices.Contains(a.Groups, g.Name); *in && !has {
					a.Groups = append(a.Groups, g.Name)
				} else if !*in {
					a.Groups = without(a.Groups, g.Name)
				}
				return nil
			})
			if err != nil || !*in {
				return c.done(err, g.ID)
			}
			if st = s.state.Load(); st.indexOf(a.ID) < 0 {
				return notFound(a.ID, "AppInstance") // gone again
			}
			return c.ok(s.appGroupJSON(c, st, st.apps[st.indexOf(a.ID)], g))
		})
	})
}
