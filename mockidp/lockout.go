package mockidp

// failed counts a wrong password or code, and locks the user out in the end.
// It returns the user as they are then.
func (s *Server) failed(u *User) *User {
	s.config.Logger.Info("mockidp: sign-in failed", "login", u.Login)
	n := 0
	s.failures.with(func(inARow map[string]int) {
		inARow[loginKey(u.Login)]++
		n = inARow[loginKey(u.Login)]
	})
	if s.config.MaxFailures < 0 || n < s.config.MaxFailures {
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
