package mockidp

import (
	"slices"
	"sync"
	"time"
)

// pending is a sign-in that waits for the person. It holds what was asked,
// never where to post: that is looked up again when the answer is made, so an
// app that changed meanwhile is answered as it is now.
type pending struct {
	appID      string
	req        *authnRequest // nil: from a tile
	relayState string
	at         time.Time
	// attack is what was chosen on the sign-in page, or "".
	attack string
	// freshIn is the session that was opened for this very sign-in, which is
	// what ForceAuthn wants to see.
	freshIn string
}

func (p *pending) passive() bool { return p.req != nil && p.req.IsPassive }

func (p *pending) force(app *App) bool {
	return p.req != nil && p.req.ForceAuthn && !app.IgnoreForceAuthn
}

const (
	keptPending     = 1000 // opening one takes no sign-in, so the oldest give way
	pendingLifetime = 30 * time.Minute
)

// pendingList is bounded in number; its values are bounded in size by MaxRequest.
type pendingList struct {
	mu    sync.Mutex
	byKey map[string]pending
	order []string
}

func (l *pendingList) put(key string, p pending) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.byKey == nil {
		l.byKey = map[string]pending{}
	}
	if len(l.order) == keptPending {
		delete(l.byKey, l.order[0])
		l.order = slices.Delete(l.order, 0, 1)
	}
	l.byKey[key] = p
	l.order = append(l.order, key)
}

func (l *pendingList) get(key string, now time.Time) (pending, *Error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	p, ok := l.byKey[key]
	if !ok || now.Sub(p.at) > pendingLifetime {
		return pending{}, &Error{Reason: ReasonRequestNotFound,
			Detail: "this sign-in is too old or was never begun; go back to the application and start again"}
	}
	return p, nil
}

// signedIn notes that a session was opened for this sign-in.
func (l *pendingList) signedIn(key, session string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if p, ok := l.byKey[key]; ok {
		p.freshIn = session
		l.byKey[key] = p
	}
}

// attacked notes what was chosen on the sign-in page.
func (l *pendingList) attacked(key, id string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if p, ok := l.byKey[key]; ok {
		p.attack = id
		l.byKey[key] = p
	}
}

func (l *pendingList) reset() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.byKey, l.order = nil, nil
}

// hold stores a pending sign-in and returns the key that the pages carry.
func (s *Server) hold(p pending) (string, *Error) {
	key, err := s.token()
	if err == nil {
		s.pending.put(key, p)
	}
	return key, err
}
