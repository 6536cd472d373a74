package mockidp

import "slices"

// orders holds what was ordered for later sign-ins and answers.
type orders struct {
	users    []string // logins, of QueueUser
	errors   []QueuedError
	queue    []StandingMutation // of QueueMutation, each for one answer
	standing []StandingMutation // one for each pair of app and user, in the order of SetMutation
	faults   []Fault
}

func (o orders) clone() orders {
	return orders{slices.Clone(o.users), slices.Clone(o.errors), slices.Clone(o.queue), slices.Clone(o.standing),
		slices.Clone(o.faults)}
}

// configured returns what the Config orders.
func (s *Server) configured(c Config) (o orders, err *Error) {
	for _, f := range c.Faults {
		if err := f.check(s.initial); err != nil {
			return o, err
		}
	}
	o.faults = slices.Clone(c.Faults)
	for _, m := range c.StandingMutations {
		if m, err = s.checkMutation(s.initial, m); err != nil {
			return o, err
		}
		if slices.ContainsFunc(o.standing, m.samePair) {
			return o, badConfig("Config.StandingMutations has two for the same app and user")
		}
		o.standing = append(o.standing, m)
	}
	return o, nil
}

// rename follows RenameUser.
func (o *orders) rename(key, login string) {
	for i, l := range o.users {
		if loginKey(l) == key {
			o.users[i] = login
		}
	}
	for _, list := range [][]StandingMutation{o.queue, o.standing} {
		for i, m := range list {
			if loginKey(m.User) == key {
				list[i].User = login
			}
		}
	}
}

// Queued lists what is queued for the next sign-ins and answers, in order.
type Queued struct {
	Users     []string // logins, of QueueUser
	Errors    []QueuedError
	Mutations []string // IDs, of QueueMutation
}

// QueuedError is the status of an app's next answer.
type QueuedError struct {
	App    string // its ID
	Status Status
}

// Queued returns what is queued.
func (s *Server) Queued() (q Queued) {
	s.orders.with(func(o *orders) {
		q.Users, q.Errors = slices.Clone(o.users), slices.Clone(o.errors)
		for _, m := range o.queue {
			q.Mutations = append(q.Mutations, m.ID)
		}
	})
	return q
}

// ClearQueue removes all that is queued.
func (s *Server) ClearQueue() {
	s.orders.with(func(o *orders) { o.users, o.errors, o.queue = nil, nil, nil })
}

// QueueUser signs the user in without a password the next time that the sign-in page would be shown, in any browser.
// Several calls queue up. A request with IsPassive, which shows no page, uses none of them up.
func (s *Server) QueueUser(login string) error {
	u := s.state.Load().user(login)
	if u == nil {
		return noSuchUser(login)
	}
	s.orders.with(func(o *orders) { o.users = append(o.users, u.Login) })
	return nil
}

// QueueError makes the app's next answer a signed Response with this status, whatever it would have been. Several
// calls queue up. "" is the first SAML app.
func (s *Server) QueueError(appID string, status Status) error {
	app, err := s.state.Load().samlApp(appID)
	if err == nil {
		err = status.check()
	}
	if err != nil {
		return err
	}
	s.orders.with(func(o *orders) { o.errors = append(o.errors, QueuedError{app.ID, status}) })
	return nil
}

// takeUser returns the next queued user who may still sign in, or nil.
func (s *Server) takeUser(st *state) (next *User) {
	s.orders.with(func(o *orders) {
		for len(o.users) > 0 && next == nil {
			if u := st.user(o.users[0]); u != nil && u.Status == Active {
				next = u
			}
			o.users = o.users[1:]
		}
	})
	return next
}

func (s *Server) takeError(app string) (next *Status) {
	s.orders.with(func(o *orders) {
		if i := slices.IndexFunc(o.errors, func(e QueuedError) bool { return e.App == app }); i >= 0 {
			next = new(o.errors[i].Status)
			o.errors = slices.Delete(o.errors, i, i+1)
		}
	})
	return next
}
