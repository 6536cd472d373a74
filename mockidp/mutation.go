package mockidp

import (
	"crypto"
	"crypto/x509"
	"slices"
	"sync"
	"time"
)

// Mutation is an answer that Config.Mutate may change before it is sent, and
// what one needs to forge another in its place.
type Mutation struct {
	// ID is what QueueMutation was given; "" if nothing was ordered for this
	// answer.
	ID string
	// Response is the good one, as XML.
	Response []byte

	App          App
	User         User // zero for an error status
	ACS          string
	InResponseTo string // "" if nobody asked
	Now          time.Time
	Key          crypto.Signer // the real one
	Certificate  *x509.Certificate
}

// queuedMutation is one that was ordered.
type queuedMutation struct{ id, app, login string }

type mutationQueue struct {
	mu   sync.Mutex
	list []queuedMutation
}

// QueueMutation has Config.Mutate called with this ID for the next answer of
// an app and about a user; "" is any app, and anybody. Several wait in line.
func (s *Server) QueueMutation(id, appID, login string) error {
	st := s.state.Load()
	if s.config.Mutate == nil {
		return badConfig("there is no Config.Mutate, so nothing can be attacked with")
	}
	if id == "" {
		return badConfig("a mutation needs an ID")
	}
	if s.config.Mutations != nil && !slices.Contains(s.config.Mutations, id) {
		return badConfig("no mutation is called %s", quote(id))
	}
	if appID != "" {
		if _, err := st.samlApp(appID); err != nil {
			return err
		}
	}
	if login != "" && st.user(login) == nil {
		return noSuchUser(login)
	}
	s.mutations.mu.Lock()
	defer s.mutations.mu.Unlock()
	s.mutations.list = append(s.mutations.list, queuedMutation{id, appID, login})
	return nil
}

// take is the ID that was ordered for this answer first, or "".
func (q *mutationQueue) take(app, login string) string {
	q.mu.Lock()
	defer q.mu.Unlock()
	for i, m := range q.list {
		if (m.app == "" || m.app == app) && (m.login == "" || loginKey(m.login) == loginKey(login)) {
			q.list = slices.Delete(q.list, i, i+1)
			return m.id
		}
	}
	return ""
}

func (q *mutationQueue) waiting() []string {
	q.mu.Lock()
	defer q.mu.Unlock()
	var out []string
	for _, m := range q.list {
		out = append(out, m.id)
	}
	return out
}

func (q *mutationQueue) reset() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.list = nil
}

// mutated gives an answer to Config.Mutate, if there is one.
func (s *Server) mutated(a answer, raw []byte) ([]byte, string, *Error) {
	if s.config.Mutate == nil {
		return raw, "", nil
	}
	m := Mutation{ID: s.mutations.take(a.app.ID, a.login()), Response: raw, App: a.app.clone(), ACS: a.acs.URL, InResponseTo: a.inResponseTo,
		Now: a.now, Key: a.signer.key.signer, Certificate: a.signer.key.cert}
	if raw, ok := m.Key.(rawECDSA); ok {
		m.Key = raw.Signer
	}
	if steady, ok := m.Key.(steadySigner); ok {
		m.Key = steady.Signer
	}
	if a.user != nil {
		m.User = a.user.clone()
	}
	out, err := s.config.Mutate(m)
	if err != nil {
		return nil, "", &Error{Reason: ReasonInternal, Detail: "Config.Mutate failed for " + quote(m.ID), Err: err}
	}
	return out, m.ID, nil
}

func (s *Server) addMutation(c *call) *apiError {
	var b struct {
		ID   string `json:"id"`
		App  string `json:"app"`
		User string `json:"user"`
	}
	if err := c.read(&b, false); err != nil {
		return err
	}
	if b.User != "" {
		u := s.state.Load().find(b.User)
		if u == nil {
			return notFound(b.User, "User")
		}
		b.User = u.Login
	}
	if err := s.QueueMutation(b.ID, b.App, b.User); err != nil {
		return fromError(err, "id")
	}
	return c.ok(s.queueJSON())
}
