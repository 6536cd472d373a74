package mockidp

import (
	"slices"
)

// Change combines several changes of the Server into one. Its Snapshot shows the state with the changes made so
// far. Times are set at the end.
type Change struct {
	Snapshot
	after []func() // effects outside the state, which can't be undone
}

// Update makes several changes as one: readers see all of them or, if f fails, none. Writers queue; readers never
// wait, and f may call any method of the Server that reads. f must not change the Server in another way, which
// would deadlock, nor keep the Change. If a method of the Change fails, f must return an error, because the method
// may have made a part of its change.
func (s *Server) Update(f func(*Change) error) error {
	s.writing.Lock()
	defer s.writing.Unlock()
	old := s.state.Load()
	c := &Change{Snapshot: Snapshot{s, old.copy()}}
	if err := f(c); err != nil {
		return err
	}
	next := c.st
	c.Snapshot = Snapshot{} // using a kept Change panics
	for _, do := range c.after {
		do()
	}
	next.note(old, s.now())
	s.state.Store(next)
	s.changed.wake()
	return nil
}

// change is Update for changes without a method of Change.
func (s *Server) change(f func(*state) error) error {
	return s.Update(func(c *Change) error { return f(c.st) })
}

// AddApp adds an app at the end of the dashboard and returns it with defaults filled in.
func (c *Change) AddApp(a App) (App, error) {
	if err := c.st.putApp(a, -1); err != nil {
		return App{}, err
	}
	return c.st.apps[len(c.st.apps)-1].clone(), nil
}

// UpdateApp is Server.UpdateApp.
func (c *Change) UpdateApp(id string, f func(*App) error) error {
	at, missing := c.st.indexOf(id)
	if missing != nil {
		return missing
	}
	a := c.st.apps[at].clone()
	if err := f(&a); err != nil {
		return err
	}
	return c.st.putApp(a, at)
}

// RemoveApp is Server.RemoveApp.
func (c *Change) RemoveApp(id string) error {
	at, missing := c.st.indexOf(id)
	if missing != nil {
		return missing
	}
	delete(c.st.rings, c.st.apps[at].ID)
	c.st.apps = slices.Delete(c.st.apps, at, at+1)
	return nil
}

// AddUser is Server.AddUser.
func (c *Change) AddUser(u User) error {
	if c.st.user(u.Login) != nil {
		return badConfig("the user %s already exists", quote(u.Login))
	}
	return c.st.putUser(u)
}

// RemoveUser is Server.RemoveUser.
func (c *Change) RemoveUser(login string) error {
	u := c.st.user(login)
	if u == nil {
		return noSuchUser(login)
	}
	c.st.dropUser(loginKey(login))
	for i, a := range c.st.apps {
		next := a.clone()
		next.Users = slices.DeleteFunc(next.Users, func(l string) bool { return SameLogin(l, login) })
		c.st.apps[i] = &next
	}
	s := c.s
	c.after = append(c.after, func() {
		s.failures.drop(loginKey(u.Login))
		s.sessions.end(u.Login)
		s.logins.drop(u.ID)
	})
	return nil
}

// RenameUser is Server.RenameUser.
func (c *Change) RenameUser(login, newLogin string) error {
	old := c.st.user(login)
	if old == nil {
		return noSuchUser(login)
	}
	if other := c.st.user(newLogin); other != nil && other != old {
		return badConfig("the user %s already exists", quote(newLogin))
	}
	u := old.clone()
	u.Login = newLogin
	was := loginKey(old.Login)
	c.st.dropUser(was)
	if err := c.st.putUser(u); err != nil {
		return err
	}
	for i, a := range c.st.apps {
		if at := slices.IndexFunc(a.Users, func(l string) bool { return loginKey(l) == was }); at >= 0 {
			next := a.clone()
			next.Users[at] = newLogin
			c.st.apps[i] = &next
		}
	}
	s := c.s
	c.after = append(c.after, func() {
		s.failures.drop(was)
		s.sessions.rename(was, newLogin)
		s.orders.with(func(o *orders) { o.rename(was, newLogin) })
	})
	return nil
}

// UpdateUser is Server.UpdateUser.
func (c *Change) UpdateUser(login string, f func(*User) error) error {
	old := c.st.user(login)
	if old == nil {
		return noSuchUser(login)
	}
	u := old.clone()
	if err := f(&u); err != nil {
		return err
	}
	if u.Login != old.Login {
		return badConfig("UpdateUser can't rename %s to %s", quote(old.Login), quote(u.Login))
	}
	if err := c.st.putUser(u); err != nil {
		return err
	}
	s, reactivated := c.s, old.Status != Active && u.Status == Active
	c.after = append(c.after, func() {
		if reactivated {
			s.failures.drop(loginKey(u.Login))
		}
		if u.deactivated() {
			s.sessions.end(u.Login)
		}
	})
	return nil
}

// PutGroup is Server.PutGroup.
func (c *Change) PutGroup(g Group) error { return c.st.putGroup(g) }

// RenameGroup is Server.RenameGroup.
func (c *Change) RenameGroup(name, newName string) error {
	g, ok := c.st.groups[name]
	if !ok {
		return noSuchGroup(name)
	}
	if newName == name {
		return nil
	}
	if _, taken := c.st.groups[newName]; taken {
		return badConfig("the group %s already exists", quote(newName))
	}
	delete(c.st.groups, name)
	g.Name = newName
	if err := c.PutGroup(g); err != nil {
		return err
	}
	c.st.renameGroup(name, newName)
	return nil
}

// RemoveGroup is Server.RemoveGroup.
func (c *Change) RemoveGroup(name string) error {
	if _, ok := c.st.groups[name]; !ok {
		return noSuchGroup(name)
	}
	delete(c.st.groups, name)
	c.st.renameGroup(name, "")
	return nil
}

// App returns a copy of the app with an ID.
func (s *Server) App(id string) (App, bool) { return s.Snapshot().App(id) }

// Apps returns copies of all apps, in the order of the dashboard, with defaults filled in.
func (s *Server) Apps() []App { return s.Snapshot().Apps() }

// AddApp adds an app at the end of the dashboard and returns it with defaults filled in.
func (s *Server) AddApp(a App) (made App, err error) {
	err = s.Update(func(c *Change) error { made, err = c.AddApp(a); return err })
	return made, err
}

// UpdateApp changes an app while the Server runs. f gets a copy with defaults filled in. If f fails, or the result is
// invalid, nothing changes. f must not change the Server in another way: that would deadlock.
func (s *Server) UpdateApp(id string, f func(*App) error) error {
	return s.Update(func(c *Change) error { return c.UpdateApp(id, f) })
}

// SetACS replaces the list of an app's assertion consumer services. The first one is where IdP-initiated sign-in goes.
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
		return badConfig("group %s: an ID consists of letters, digits and _ . -, got %s", quote(g.Name), quote(g.ID))
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
