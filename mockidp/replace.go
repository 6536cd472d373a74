package mockidp

import "slices"

// Replace makes the users, groups, apps, keys, faults and standing mutations those of c: all of them or, if c is
// invalid, none. Without c.Key the keys stay, also those of apps that c lists by their ID. Sessions of users who are
// gone or deactivated end. Messages, the queue and the clock stay, and Reset still goes back to the configuration of
// the start. The other fields of c are ignored, because they can't change while the Server runs.
func (s *Server) Replace(c Config) error {
	s.writing.Lock()
	defer s.writing.Unlock()
	old := s.state.Load()
	next, ordered, err := s.replacement(old, c)
	if err != nil {
		return err
	}
	next.note(old, s.now())
	s.state.Store(next)
	s.orders.with(func(o *orders) { o.faults, o.standing = ordered.faults, ordered.standing })
	s.failures.reset()
	for _, u := range old.users {
		if now := next.userByID(u.ID); now == nil || now.deactivated() || !SameLogin(now.Login, u.Login) {
			s.sessions.end(u.Login)
		}
	}
	s.changed.wake()
	return nil
}

// CheckReplace returns the error that Replace would return now. It changes nothing.
func (s *Server) CheckReplace(c Config) error {
	_, _, err := s.replacement(s.state.Load(), c)
	return err
}

func (s *Server) replacement(old *state, c Config) (*state, orders, error) {
	c.Org, c.BaseURL = s.config.Org, "" // what is derived from them stays
	if err := c.check(); err != nil {
		return nil, orders{}, err
	}
	noApps := len(c.Apps) == 0
	c = c.withDefaults()
	key, more, err := s.replacedKeys(old, c)
	if err != nil {
		return nil, orders{}, err
	}
	next, err := newState(c, key, more, naming{salt: old.salt, tenant: old.tenant}, noApps)
	if err != nil {
		return nil, orders{}, err
	}
	ordered, oerr := s.orderedBy(c, next)
	if oerr != nil {
		return nil, orders{}, oerr
	}
	return next, ordered, nil
}

// replacedKeys returns the keys of c or, if it has none, the present ones.
func (s *Server) replacedKeys(old *state, c Config) (*signingKey, []furtherKey, error) {
	if c.Key != nil || c.Certificate != nil || len(c.Keys) > 0 {
		key, err := newSigningKey(s.keySource(0), c.Key, c.Certificate)
		if err != nil {
			return nil, nil, err
		}
		more, err := s.furtherKeys(c.Keys)
		return key, more, err
	}
	var more []furtherKey
	for _, k := range old.keys {
		if k.id != old.signing {
			more = append(more, furtherKey{signingKey: k})
		}
	}
	for app, ring := range old.rings {
		if !slices.ContainsFunc(c.Apps, func(a App) bool { return a.ID == app && a.Kind == SAML }) {
			continue
		}
		for _, k := range ring {
			if findKey(old.keys, k.id) == nil {
				more = append(more, furtherKey{k, []string{app}})
			}
		}
	}
	return findKey(old.keys, old.signing), more, nil
}
