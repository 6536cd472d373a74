package mockidp

import (
	"slices"
	"sync"
)

// StandingMutation is a mutation that is switched on, until it is switched off.
type StandingMutation struct {
	// ID is what Config.Mutate is called with. Required.
	ID string
	// App is the ID of the app whose answers it strikes. Zero: all apps'.
	App string
	// User is the login of the person whose answers it strikes. Zero: everybody's.
	User string
}

// specific: a rule about a person goes before one about an app.
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

// mutationTable is what was ordered: for one answer each, in line, and for all.
type mutationTable struct {
	mu       sync.Mutex
	queue    []StandingMutation
	standing []StandingMutation // one a pair of app and user, in the order they were switched on
}

// QueueMutation has Config.Mutate called with this ID for the next answer of
// an app and about a user; "" is any app, and anybody. Several wait in line.
// It goes before what SetMutation switched on.
func (s *Server) QueueMutation(id, appID, login string) error {
	m, err := s.checkMutation(s.state.Load(), StandingMutation{id, appID, login})
	if err != nil {
		return err
	}
	s.mutations.mu.Lock()
	defer s.mutations.mu.Unlock()
	s.mutations.queue = append(s.mutations.queue, m)
	return nil
}

// SetMutation switches a mutation on: Config.Mutate is called with this ID for
// every answer of an app and about a user, "" being any app, and anybody. There
// is one for each pair of app and user, which a second call replaces; of
// several that strike an answer one about the user and the app is taken, else
// about the user, else about the app. ID "" switches the pair's off, and
// Reset all that aren't in Config.StandingMutations.
func (s *Server) SetMutation(id, appID, login string) error {
	m := StandingMutation{id, appID, login}
	if id != "" {
		var err *Error
		if m, err = s.checkMutation(s.state.Load(), m); err != nil {
			return err
		}
	}
	s.mutations.mu.Lock()
	defer s.mutations.mu.Unlock()
	s.mutations.standing = slices.DeleteFunc(s.mutations.standing, m.samePair)
	if id != "" {
		s.mutations.standing = append(s.mutations.standing, m)
	}
	return nil
}

// StandingMutations returns those that are switched on, in the order of
// SetMutation.
func (s *Server) StandingMutations() []StandingMutation {
	s.mutations.mu.Lock()
	defer s.mutations.mu.Unlock()
	return slices.Clone(s.mutations.standing)
}

// ClearMutations switches all off. What QueueMutation ordered stays in line.
func (s *Server) ClearMutations() {
	s.mutations.mu.Lock()
	defer s.mutations.mu.Unlock()
	s.mutations.standing = nil
}

// checkMutation refuses what can't come about, and gives the login as it is
// configured.
func (s *Server) checkMutation(st *state, m StandingMutation) (StandingMutation, *Error) {
	switch {
	case s.config.Mutate == nil:
		return m, badConfig("there is no Config.Mutate, so nothing can be attacked with")
	case m.ID == "":
		return m, badConfig("a mutation needs an ID")
	case s.config.Mutations != nil && !slices.Contains(s.config.Mutations, m.ID):
		return m, badConfig("no mutation is called %s", quote(m.ID))
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

// take is the ID for an answer: what was ordered for it first, else what is
// switched on, else "".
func (t *mutationTable) take(app, login string) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	for i, m := range t.queue {
		if m.strikes(app, login) {
			t.queue = slices.Delete(t.queue, i, i+1)
			return m.ID
		}
	}
	id, best := "", -1
	for _, m := range t.standing {
		if m.strikes(app, login) && m.specific() > best {
			id, best = m.ID, m.specific()
		}
	}
	return id
}

// ordered says that something waits or is switched on for an app.
func (t *mutationTable) ordered(app string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.ContainsFunc(slices.Concat(t.queue, t.standing), func(m StandingMutation) bool { return m.App == "" || m.App == app })
}

// waiting are the IDs in line.
func (t *mutationTable) waiting() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	var out []string
	for _, m := range t.queue {
		out = append(out, m.ID)
	}
	return out
}

// rename goes with RenameUser.
func (t *mutationTable) rename(key, login string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, list := range [][]StandingMutation{t.queue, t.standing} {
		for i, m := range list {
			if m.User != "" && loginKey(m.User) == key {
				list[i].User = login
			}
		}
	}
}

func (t *mutationTable) emptyQueue() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.queue = nil
}

// reset goes back to what the Config switches on.
func (t *mutationTable) reset(s *Server) *Error {
	var standing []StandingMutation
	for _, m := range s.config.StandingMutations {
		m, err := s.checkMutation(s.initial, m)
		if err != nil {
			return err
		}
		if slices.ContainsFunc(standing, m.samePair) {
			return badConfig("Config.StandingMutations has two for the same app and user")
		}
		standing = append(standing, m)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.queue, t.standing = nil, standing
	return nil
}
