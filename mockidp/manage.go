package mockidp

import (
	"maps"
	"slices"
)

// change replaces the state whole, and notes when what changed. Writers queue;
// readers never wait, and f may call any method of the Server that reads.
func (s *Server) change(f func(*state) error) error {
	s.writing.Lock()
	defer s.writing.Unlock()
	old := s.state.Load()
	next := old.copy()
	if err := f(next); err != nil {
		return err
	}
	next.note(old, s.now())
	s.state.Store(next)
	s.changed.wake()
	return nil
}

// App returns a copy of the app with that ID; "" is the first SAML app.
func (s *Server) App(id string) (App, bool) {
	app, err := s.state.Load().app(id)
	if err != nil {
		return App{}, false
	}
	return app.clone(), true
}

// Apps returns copies of all apps, in the order of the dashboard, with what
// was zero filled in.
func (s *Server) Apps() []App {
	var out []App
	for _, a := range s.state.Load().apps {
		out = append(out, a.clone())
	}
	return out
}

// AddApp adds an app at the end of the dashboard and returns it as it became.
func (s *Server) AddApp(a App) (App, error) {
	err := s.change(func(st *state) error {
		if err := st.putApp(a, -1); err != nil {
			return err
		}
		a = st.apps[len(st.apps)-1].clone()
		return nil
	})
	if err != nil {
		return App{}, err
	}
	return a, nil
}

// UpdateApp changes an app ("" is the first SAML app) while the server runs. f
// gets a copy, all of whose zero fields are filled in; if it fails, or what it
// leaves contradicts itself, nothing changes. f must not change the server in
// another way: it would wait for itself.
func (s *Server) UpdateApp(id string, f func(*App) error) error {
	return s.change(func(st *state) error {
		at := st.indexOf(id)
		if at < 0 {
			_, err := st.app(id)
			return err
		}
		a := st.apps[at].clone()
		if err := f(&a); err != nil {
			return err
		}
		if err := st.putApp(a, at); err != nil {
			return err
		}
		return nil
	})
}

// SetACS replaces the list of an app's assertion consumer services ("" is the
// first SAML app). The first is where IdP-initiated sign-in goes.
func (s *Server) SetACS(appID string, list []ACS) error {
	if _, err := s.state.Load().samlApp(appID); err != nil {
		return err
	}
	return s.UpdateApp(appID, func(a *App) error {
		if err := a.setACS(list); err != nil {
			return err
		}
		return nil
	})
}

// RemoveApp removes an app. Sign-ins that wait for it end on a 404 page.
func (s *Server) RemoveApp(id string) error {
	return s.change(func(st *state) error {
		at := st.indexOf(id)
		if at < 0 {
			_, err := st.app(id)
			return err
		}
		delete(st.rings, st.apps[at].ID)
		st.apps = slices.Delete(st.apps, at, at+1)
		return nil
	})
}

// Users returns copies of all users, by login.
func (s *Server) Users() []User {
	st := s.state.Load()
	var out []User
	for _, key := range slices.Sorted(maps.Keys(st.users)) {
		out = append(out, st.users[key].clone())
	}
	return out
}

// User returns a copy of the user with that login.
func (s *Server) User(login string) (User, bool) {
	u := s.state.Load().user(login)
	if u == nil {
		return User{}, false
	}
	return u.clone(), true
}

// AddUser adds a person.
func (s *Server) AddUser(u User) error {
	return s.change(func(st *state) error {
		if st.user(u.Login) != nil {
			return badConfig("the user %s is there already", quote(u.Login))
		}
		if err := st.putUser(u); err != nil {
			return err
		}
		return nil
	})
}

// RemoveUser removes a person: sessions are over, and no app is assigned to them.
func (s *Server) RemoveUser(login string) error {
	return s.change(func(st *state) error {
		u := st.user(login)
		if u == nil {
			return noSuchUser(login)
		}
		st.dropUser(loginKey(login))
		s.failures.forget(u.Login)
		s.sessions.end(u.Login)
		s.logins.forget(u.ID)
		for i, a := range st.apps {
			next := a.clone()
			next.Users = slices.DeleteFunc(next.Users, func(l string) bool { return loginKey(l) == loginKey(login) })
			st.apps[i] = &next
		}
		return nil
	})
}

// RenameUser gives a person another login. The ID stays, and so do sessions,
// groups and apps; the Email stays too.
func (s *Server) RenameUser(login, newLogin string) error {
	return s.change(func(st *state) error {
		old := st.user(login)
		if old == nil {
			return noSuchUser(login)
		}
		if err := st.rename(old, newLogin); err != nil {
			return err
		}
		s.renamed(old.Login, newLogin)
		return nil
	})
}

func (st *state) rename(old *User, newLogin string) error {
	if other := st.user(newLogin); other != nil && other != old {
		return badConfig("the user %s is there already", quote(newLogin))
	}
	u := old.clone()
	u.Login = newLogin
	was := loginKey(old.Login)
	st.dropUser(was)
	if err := st.putUser(u); err != nil {
		return err
	}
	for i, a := range st.apps {
		at := slices.IndexFunc(a.Users, func(l string) bool { return loginKey(l) == was })
		if at >= 0 {
			next := a.clone()
			next.Users[at] = newLogin
			st.apps[i] = &next
		}
	}
	return nil
}

// renamed tells what isn't part of the state. It comes last in a change: none
// of it is taken back if something else is refused.
func (s *Server) renamed(login, newLogin string) {
	was := loginKey(login)
	s.failures.forget(login)
	s.sessions.rename(was, newLogin)
	s.queue.rename(was, newLogin)
	s.mutations.rename(was, newLogin)
}

// UpdateUser changes a person; the login stays (RenameUser changes that). Sessions that are open show
// the change at once, and wrong passwords are counted from 0 again when the
// Status becomes Active. The rules of UpdateApp's f hold.
func (s *Server) UpdateUser(login string, f func(*User) error) error {
	return s.change(func(st *state) error {
		old := st.user(login)
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
		if err := st.putUser(u); err != nil {
			return err
		}
		if old.Status != Active && u.Status == Active {
			s.failures.forget(u.Login)
		}
		if u.gone() {
			s.sessions.end(u.Login)
		}
		return nil
	})
}
