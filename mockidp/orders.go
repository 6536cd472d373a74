package mockidp

import (
	"slices"
)

// orders holds what is queued or switched on for later sign-ins and answers.
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

// orderedBy returns the faults and the standing mutations of a Config, for a state.
func (s *Server) orderedBy(c Config, st *state) (o orders, err *Error) {
	for _, f := range c.Faults {
		if err := f.check(st); err != nil {
			return orders{}, err
		}
	}
	o.faults = slices.Clone(c.Faults)
	for _, m := range c.StandingMutations {
		if m, err = s.checkMutation(st, m); err != nil {
			return orders{}, err
		}
		if slices.ContainsFunc(o.standing, m.samePair) {
			return orders{}, badConfig("Config.StandingMutations has two for the same app and user")
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

// QueueUser signs the user in without a password the next time that the sign-in page would be shown, in any
// browser. Several calls queue up. A request with IsPassive shows no page, and so takes no user from the queue.
func (s *Server) QueueUser(login string) error {
	u := s.state.Load().user(login)
	if u == nil {
		return noSuchUser(login)
	}
	s.orders.with(func(o *orders) { o.users = append(o.users, u.Login) })
	return nil
}

// QueueError makes the app's next answer a signed Response with this status, whatever it would have been. Several
// calls queue up.
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

func (m StandingMutation) appliesTo(app, login string) bool {
	return (m.App == "" || m.App == app) && (m.User == "" || SameLogin(m.User, login))
}

func (m StandingMutation) samePair(other StandingMutation) bool {
	return m.App == other.App && SameLogin(m.User, other.User)
}

// QueueMutation makes the Server call Config.Mutate with this ID for the next answer of an app about a user, or
// Config.MutateMessage for the next message of the kind that MutationInfo says; "" is any app, and any user. Several
// calls queue up. It goes before the mutations of SetMutation.
func (s *Server) QueueMutation(id, appID, login string) error {
	m, err := s.checkMutation(s.state.Load(), StandingMutation{id, appID, login})
	if err != nil {
		return err
	}
	s.orders.with(func(o *orders) { o.queue = append(o.queue, m) })
	return nil
}

// SetMutation switches a mutation on: Config.Mutate is called with this ID for every answer of an app about a user;
// "" is any app, and any user. Each pair of app and user has one mutation; a second call replaces it. If several
// apply to an answer, the one for the user and the app is used, else the one for the user, else the one for the
// app. ID "" switches the pair's mutation off. Reset goes back to Config.StandingMutations.
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

// checkMutation refuses a mutation that can't be made. It returns m with the login as it is configured.
func (s *Server) checkMutation(st *state, m StandingMutation) (StandingMutation, *Error) {
	switch {
	case s.config.Mutate == nil && s.config.MutateMessage == nil:
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

// takeMutation returns the first ID of the kind queued for a message, else the most specific one switched on, else "".
func (s *Server) takeMutation(app, login string, kind MessageKind) (id string) {
	applies := func(m StandingMutation) bool {
		return m.appliesTo(app, login) && s.config.MutationInfo[m.ID].Changes == kind
	}
	s.orders.with(func(o *orders) {
		for i, m := range o.queue {
			if applies(m) {
				o.queue = slices.Delete(o.queue, i, i+1)
				id = m.ID
				return
			}
		}
		best := -1
		for _, m := range o.standing {
			if applies(m) && m.specific() > best {
				id, best = m.ID, m.specific()
			}
		}
	})
	return id
}

// mutationOrdered reports whether a mutation is queued or switched on for an app.
func (s *Server) mutationOrdered(app string) (found bool) {
	applies := func(m StandingMutation) bool { return m.App == "" || m.App == app }
	s.orders.with(func(o *orders) { found = slices.ContainsFunc(slices.Concat(o.queue, o.standing), applies) })
	return found
}
