package mockidp

// App returns a copy of the app with an ID; "" is the first SAML app.
func (s *Server) App(id string) (App, bool) { return s.Snapshot().App(id) }

// Apps returns copies of all apps, in the order of the dashboard, with defaults filled in.
func (s *Server) Apps() []App { return s.Snapshot().Apps() }

// AddApp adds an app at the end of the dashboard and returns it with defaults filled in.
func (s *Server) AddApp(a App) (made App, err error) {
	err = s.Update(func(c *Change) error { made, err = c.AddApp(a); return err })
	return made, err
}

// UpdateApp changes an app ("" is the first SAML app) while the Server runs. f gets a copy with defaults filled in. If
// f fails, or the result is invalid, nothing changes. f must not change the Server in another way: that would deadlock.
func (s *Server) UpdateApp(id string, f func(*App) error) error {
	return s.Update(func(c *Change) error { return c.UpdateApp(id, f) })
}

// SetACS replaces the list of an app's assertion consumer services ("" is the first SAML app). The first one is where
// IdP-initiated sign-in goes.
func (s *Server) SetACS(appID string, list []ACS) error {
	if _, err := s.state.Load().samlApp(appID); err != nil {
		return err
	}
	return s.UpdateApp(appID, func(a *App) error { return a.setACS(list) })
}

// RemoveApp removes an app. Pending sign-ins for it end on a 404 page.
func (s *Server) RemoveApp(id string) error {
	return s.Update(func(c *Change) error { return c.RemoveApp(id) })
}

// Users returns copies of all users, by login.
func (s *Server) Users() []User { return s.Snapshot().Users() }

// User returns a copy of the user with a login.
func (s *Server) User(login string) (User, bool) { return s.Snapshot().User(login) }

// AddUser adds a user.
func (s *Server) AddUser(u User) error {
	return s.Update(func(c *Change) error { return c.AddUser(u) })
}

// RemoveUser removes a user, ends their sessions, and removes them from all apps.
func (s *Server) RemoveUser(login string) error {
	return s.Update(func(c *Change) error { return c.RemoveUser(login) })
}

// RenameUser gives a user another login. ID, Email, sessions, groups and apps stay.
func (s *Server) RenameUser(login, newLogin string) error {
	return s.Update(func(c *Change) error { return c.RenameUser(login, newLogin) })
}

// UpdateUser changes a user, except for the login (see RenameUser). Open sessions show the change at once, and the
// count of wrong passwords restarts when the Status becomes Active. The rules for UpdateApp's f apply.
func (s *Server) UpdateUser(login string, f func(*User) error) error {
	return s.Update(func(c *Change) error { return c.UpdateUser(login, f) })
}

// Group is a set of users. Apps are assigned to groups as well as to users.
type Group struct {
	ID          string // zero: 00g and 17 characters derived from the name
	Name        string
	Description string // may be empty
}

func (g Group) check() *Error {
	if g.Name == "" || g.Name == Everyone || len(g.Name) > 256 {
		return badConfig("invalid name of a Group: %s", quote(g.Name))
	}
	if !idShape.MatchString(g.ID) {
		return badConfig("group %s: the ID must consist of letters, digits and _ . -, got %s", quote(g.Name), quote(g.ID))
	}
	return checkText("Group.Name", g.Name)
}

// Groups returns the groups by name, without Everyone.
func (s *Server) Groups() []Group { return s.Snapshot().Groups() }

// PutGroup adds a group, or replaces the one with that name.
func (s *Server) PutGroup(g Group) error {
	return s.Update(func(c *Change) error { return c.PutGroup(g) })
}

// RenameGroup gives a group another name. ID, members and apps stay.
func (s *Server) RenameGroup(name, newName string) error {
	return s.Update(func(c *Change) error { return c.RenameGroup(name, newName) })
}

// RemoveGroup removes a group, also from its users and apps.
func (s *Server) RemoveGroup(name string) error {
	return s.Update(func(c *Change) error { return c.RemoveGroup(name) })
}
