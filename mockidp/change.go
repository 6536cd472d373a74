package mockidp

import "slices"

// Change is one change of the Server that consists of several. Its Snapshot shows what the Server will hold, with all
// that the Change did so far; times are noted at the end.
type Change struct {
	Snapshot
	after []func() // effects outside the state, which can't be undone
}

// Update makes several changes as one: readers see all of them or, if f fails, none. Writers queue; readers never
// wait, and f may call any method of the Server that reads. f must not change the Server in another way, which would
// deadlock, nor keep the Change. If a method of the Change fails, f must fail too, because a part may have been done.
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

// change is Update for changes that Change has no method for.
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
		if u.gone() {
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
