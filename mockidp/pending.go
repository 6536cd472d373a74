package mockidp

import "time"

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

const pendingLifetime = 30 * time.Minute

// hold stores a pending sign-in, unless it has a key already, and returns the key
// that the pages carry.
func (s *Server) hold(p pending, key string) (string, *Error) {
	if key != "" {
		return key, nil
	}
	key, err := s.token()
	if err == nil {
		s.pending.put(key, p)
	}
	return key, err
}

// held returns a pending sign-in that isn't too old.
func (s *Server) held(key string) (pending, *Error) {
	p, ok := s.pending.get(key)
	if !ok || s.now().Sub(p.at) > pendingLifetime {
		return pending{}, &Error{Reason: ReasonRequestNotFound,
			Detail: "this sign-in is too old or was never begun; go back to the application and start again"}
	}
	return p, nil
}
