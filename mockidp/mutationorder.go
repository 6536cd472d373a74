package mockidp

import "slices"

// StandingMutation is a mutation that stays switched on until it is switched off.
type StandingMutation struct {
	// ID is what Config.Mutate is called with. Required.
	ID string
	// App is the ID of the app whose answers it applies to. Zero: all apps.
	App string
	// User is the login of the user whose answers it applies to. Zero: all users.
	User string
}

// specific ranks mutations: one for a user goes before one for an app.
func (m StandingMutation) specific() int {
	n := 0
	if m.User != "" {
		n += 2
	}
	if m.App != "" {
		n++
	}
	return n
}

func (m StandingMutation) strikes(app, login string) bool {
	return (m.App == "" || m.App == app) && (m.User == "" || SameLogin(m.User, login))
}

func (m StandingMutation) samePair(other StandingMutation) bool {
	return m.App == other.App && SameLogin(m.User, other.User)
}

// QueueMutation makes the Server call Config.Mutate with this ID for the next answer of an app about a user; "" is
// any app, and any user. Several calls queue up. It goes before the mutations of SetMutation.
func (s *Server) QueueMutation(id, appID, login string) error {
	m, err := s.checkMutation(s.state.Load(), StandingMutation{id, appID, login})
	if err != nil {
		return err
	}
	s.orders.with(func(o *orders) { o.queue = append(o.queue, m) })
	return nil
}

// SetMutation switches a mutation on: Config.Mutate is called with this ID for every answer of an app about a user;
// "" is any app, and any user. There is one for each pair of app and user, which a second call replaces. If several
// apply to an answer, one for the user and the app is used, else one for the user, else one for the app. ID ""
// switches the pair's mutation off. Reset goes back to Config.StandingMutations.
func (s *Server) SetMutation(id, appID, login string) error {
	m := StandingMutation{id, appID, login}
	if id != "" {
		var err *Error
		if m, err = s.checkMutation(s.state.Load(), m); err != nil {
			return err
		}
	}
	s.orders.with(func(o *orders) {
		o.standing = slices.DeleteFunc(o.standing, m.samePair)
		if id != "" {
			o.standing = append(o.standing, m)
		}
	})
	return nil
}

// StandingMutations returns the mutations that are switched on, in the order of SetMutation.
func (s *Server) StandingMutations() (out []StandingMutation) {
	s.orders.with(func(o *orders) { out = slices.Clone(o.standing) })
	return out
}

// ClearMutations switches all off. The queue of QueueMutation stays.
func (s *Server) ClearMutations() { s.orders.with(func(o *orders) { o.standing = nil }) }

// checkMutation refuses a mutation that can never be made. It returns m with the login as it is configured.
func (s *Server) checkMutation(st *state, m StandingMutation) (StandingMutation, *Error) {
	switch {
	case s.config.Mutate == nil:
		return m, badConfig("a mutation needs Config.Mutate, which is nil")
	case m.ID == "":
		return m, badConfig("a mutation needs an ID")
	case s.config.Mutations != nil && !slices.Contains(s.config.Mutations, m.ID):
		return m, badConfig("no mutation has the ID %s", quote(m.ID))
	}
	if m.App != "" {
		if _, err := st.samlApp(m.App); err != nil {
			return m, err
		}
	}
	if m.User != "" {
		u := st.user(m.User)
		if u == nil {
			return m, noSuchUser(m.User)
		}
		m.User = u.Login
	}
	return m, nil
}

// takeMutation returns the ID for an answer: the first one queued for it, else the most specific one switched on,
// else "".
func (s *Server) takeMutation(app, login string) (id string) {
	s.orders.with(func(o *orders) {
		for i, m := range o.queue {
			if m.strikes(app, login) {
				o.queue = slices.Delete(o.queue, i, i+1)
				id = m.ID
				return
			}
		}
		best := -1
		for _, m := range o.standing {
			if m.strikes(app, login) && m.specific() > best {
				id, best = m.ID, m.specific()
			}
		}
	})
	return id
}

// mutationOrdered reports whether a mutation is queued or switched on for an app.
func (s *Server) mutationOrdered(app string) (found bool) {
	s.orders.with(func(o *orders) {
		found = slices.ContainsFunc(slices.Concat(o.queue, o.standing),
			func(m StandingMutation) bool { return m.App == "" || m.App == app })
	})
	return found
}
