package mockidp

// App returns a copy of the app with that ID; "" is the first SAML app.
func (s *Server) App(id string) (App, bool) { return s.Snapshot().App(id) }

// Apps returns copies of all apps, in the order of the dashboard, with what
// was zero filled in.
func (s *Server) Apps() []App { return s.Snapshot().Apps() }

// AddApp adds an app at the end of the dashboard and returns it as it became.
func (s *Server) AddApp(a App) (made App, err error) {
	err = s.Update(func(c *Change) error { made, err = c.AddApp(a); return err })
	return made, err
}

// UpdateApp changes an app ("" is the first SAML app) while the server runs. f
// gets a copy, all of whose zero fields are filled in; if it fails, or what it
// leaves contradicts itself, nothing changes. f must not change the server in
// another way: it would wait for itself.
func (s *Server) UpdateApp(id string, f func(*App) error) error {
	return s.Update(func(c *Change) error { return c.UpdateApp(id, f) })
}

// SetACS replaces the list of an app's assertion consumer services ("" is the
// first SAML app). The first is where IdP-initiated sign-in goes.
func (s *Server) SetACS(appID string, list []ACS) error {
	if _, err := s.state.Load().samlApp(appID); err != nil {
		return err
	}
	return s.UpdateApp(appID, func(a *App) error { return a.setACS(list) })
}

// RemoveApp removes an app. Sign-ins that wait for it end on a 404 page.
func (s *Server) RemoveApp(id string) error {
	return s.Update(func(c *Change) error { return c.RemoveApp(id) })
}

// Users returns copies of all users, by login.
func (s *Server) Users() []User { return s.Snapshot().Users() }

// User returns a copy of the user with that login.
func (s *Server) User(login string) (User, bool) { return s.Snapshot().User(login) }

// AddUser adds a person.
func (s *Server) AddUser(u User) error {
	return s.Update(func(c *Change) error { return c.AddUser(u) })
}

// RemoveUser removes a person: sessions are over, and no app is assigned to them.
func (s *Server) RemoveUser(login string) error {
	return s.Update(func(c *Change) error { return c.RemoveUser(login) })
}

// RenameUser gives a person another login. The ID stays, and so do sessions,
// groups and apps; the Email stays too.
func (s *Server) RenameUser(login, newLogin string) error {
	return s.Update(func(c *Change) error { return c.RenameUser(login, newLogin) })
}

// UpdateUser changes a person; the login stays (RenameUser changes that).
// Sessions that are open show the change at once, and wrong passwords are
// counted from 0 again when the Status becomes Active. The rules of UpdateApp's
// f hold.
func (s *Server) UpdateUser(login string, f func(*User) error) error {
	return s.Update(func(c *Change) error { return c.UpdateUser(login, f) })
}
