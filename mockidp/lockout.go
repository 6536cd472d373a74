package mockidp

import "sync"

// failureTable counts wrong passwords and codes in a row. Only users who exist
// have an entry, so strangers can't fill it.
type failureTable struct {
	mu      sync.Mutex
	byLogin map[string]int
}

func (t *failureTable) add(login string) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.byLogin == nil {
		t.byLogin = map[string]int{}
	}
	t.byLogin[loginKey(login)]++
	return t.byLogin[loginKey(login)]
}

func (t *failureTable) forget(login string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.byLogin, loginKey(login))
}

func (t *failureTable) reset() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.byLogin = nil
}

// failed counts a wrong password or code, and locks the user out in the end.
// It returns the user as they are then.
func (s *Server) failed(u *User) *User {
	s.config.Logger.Info("mockidp: sign-in failed", "login", u.Login)
	if n := s.failures.add(u.Login); s.config.MaxFailures < 0 || n < s.config.MaxFailures {
		return u
	}
	err := s.UpdateUser(u.Login, func(u *User) error {
		if u.Status == Active {
			u.Status = LockedOut
		}
		return nil
	})
	if err == nil {
		s.config.Logger.Warn("mockidp: locked out", "login", u.Login)
	}
	if now := s.state.Load().user(u.Login); now != nil {
		return now
	}
	return u
}
