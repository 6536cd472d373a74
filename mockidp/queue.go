package mockidp

import (
	"slices"
	"sync"
)

// queue holds what a test has ordered for the next sign-ins.
type queue struct {
	mu     sync.Mutex
	users  []string // logins
	errors []QueuedError
}

// Queued is what waits for the next sign-ins and answers, in line.
type Queued struct {
	Users     []string // logins, of QueueUser
	Errors    []QueuedError
	Mutations []string // IDs, of QueueMutation
}

// QueuedError is a status that an app's next answer will have.
type QueuedError struct {
	App    string // its ID
	Status Status
}

// QueueUser signs the user in, without asking, where the sign-in page would
// come up next, in whatever browser that is. Several wait in line. A request
// with IsPassive, which shows no page, takes none of them.
func (s *Server) QueueUser(login string) error {
	u := s.state.Load().user(login)
	if u == nil {
		return noSuchUser(login)
	}
	s.queue.mu.Lock()
	defer s.queue.mu.Unlock()
	s.queue.users = append(s.queue.users, u.Login)
	return nil
}

// QueueError makes the app's next answer, whatever it would have been, a
// signed Response with this status. Several wait in line. "" is the first SAML app.
func (s *Server) QueueError(appID string, status Status) error {
	app, err := s.state.Load().samlApp(appID)
	if err == nil {
		err = status.check()
	}
	if err != nil {
		return err
	}
	s.queue.mu.Lock()
	defer s.queue.mu.Unlock()
	s.queue.errors = append(s.queue.errors, QueuedError{app.ID, status})
	return nil
}

// takeUser is the next user who may still sign in, or nil.
func (q *queue) takeUser(st *state) *User {
	q.mu.Lock()
	defer q.mu.Unlock()
	for len(q.users) > 0 {
		u := st.user(q.users[0])
		q.users = q.users[1:]
		if u != nil && u.Status == Active {
			return u
		}
	}
	return nil
}

// rename goes with RenameUser.
func (q *queue) rename(key, login string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for i, l := range q.users {
		if loginKey(l) == key {
			q.users[i] = login
		}
	}
}

// Queued returns what waits.
func (s *Server) Queued() Queued {
	s.queue.mu.Lock()
	defer s.queue.mu.Unlock()
	return Queued{slices.Clone(s.queue.users), slices.Clone(s.queue.errors), s.mutations.waiting()}
}

func (q *queue) takeError(app string) (Status, bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for i, e := range q.errors {
		if e.App == app {
			q.errors = append(q.errors[:i:i], q.errors[i+1:]...)
			return e.Status, true
		}
	}
	return Status{}, false
}

func (q *queue) reset() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.users, q.errors = nil, nil
}

// ClearQueue takes back whatever waits.
func (s *Server) ClearQueue() {
	s.queue.reset()
	s.mutations.emptyQueue()
}
