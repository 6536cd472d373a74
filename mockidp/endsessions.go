package mockidp

// EndSessions ends a person's sessions at the identity provider, as time would:
// the next sign-in asks for the password again. Service providers are not told,
// and sign-ins under way go on.
func (s *Server) EndSessions(login string) error {
	u := s.state.Load().user(login)
	if u == nil {
		return noSuchUser(login)
	}
	s.sessions.end(u.Login)
	return nil
}
