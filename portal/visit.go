package portal

import (
	"errors"
	"net/http"
	"time"

	"github.com/meridian-saml/meridian/acs/sessions"
	"github.com/meridian-saml/meridian/portal/center"
)

// SessionCookie is the name of the session's cookie. The prefix makes browsers
// refuse it unless it is Secure, for this host alone and for every path.
const SessionCookie = "__Host-meridian-session"

// touchEvery is how stale Seen may get, so that not every request writes. A
// session can so end by idleness up to this much early, never late.
func (p *Portal) touchEvery() time.Duration { return min(time.Minute, p.cfg.IdleTimeout/10) }

// A visit is a request by somebody who is signed in.
type visit struct {
	key     string // the session's key in the store
	session sessions.Session
	user    center.User
}

type visitHandler func(http.ResponseWriter, *http.Request, *visit)

// visitor serves signed-in people. Others go to sign in and come back to where
// they wanted to go.
func (p *Portal) visitor(h visitHandler) http.HandlerFunc { return p.signedInOnly(h, false) }

// visitorEvenStale is visitor for what must work when MaxStaleness is
// exceeded too, because it takes access away and gives none.
func (p *Portal) visitorEvenStale(h visitHandler) http.HandlerFunc { return p.signedInOnly(h, true) }

func (p *Portal) signedInOnly(h visitHandler, evenStale bool) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		v, err := p.current(r)
		var e *Error
		switch {
		case err == nil, evenStale && v != nil:
			h(w, r, v)
		case errors.As(err, &e):
			p.refuseVisit(w, r, e)
		case r.Method == http.MethodPost:
			// The form's content security policy would stop the way to the
			// identity provider, so that is left to a link.
			http.Redirect(w, r, pathSignedOut, http.StatusSeeOther)
		default:
			http.Redirect(w, r, p.loginURL(r), http.StatusSeeOther)
		}
	}
}

// current returns the visit that a request belongs to. ErrNoSession means that
// there is none, or none any more; an *Error that the store can't tell, or
// that the directory no longer has the user as active. With ReasonStale the
// visit is returned too: it is real, and may have been ended elsewhere.
func (p *Portal) current(r *http.Request) (*visit, error) {
	key, s, err := p.kept(r)
	if err != nil {
		return nil, err
	}
	now := p.cfg.Now()
	if !now.Before(s.Expires) {
		return nil, p.endNow(r, key, sessions.ErrNoSession)
	}
	if s.Over(now, p.cfg.IdleTimeout) {
		return nil, sessions.ErrNoSession // and left to idle and signOut
	}
	u, refused := p.active(p.cfg.Directory.UserByID(s.UserID))
	if refused != nil {
		refused.Got = s.UserName
		return nil, p.endUnknown(r, key, s, refused)
	}
	if now.Sub(s.Seen) >= p.touchEvery() {
		// ErrNoSession here is a sign-out that happened in between.
		if err := p.cfg.Sessions.Touch(r.Context(), key, now); errors.Is(err, sessions.ErrNoSession) {
			return nil, err
		} else if err != nil {
			return nil, unavailable("write of the session", err)
		}
	}
	v := &visit{key, s, u}
	if e := p.stale(); e != nil {
		return v, e
	}
	return v, nil
}

// idle returns the session that the browser had until it was not used for too
// long, or nil. Nobody is let in by it. But what came from the same sign-in may
// be in use at other portals, so a new sign-in still is about all of that.
func (p *Portal) idle(r *http.Request) (*visit, *Error) {
	key, s, err := p.kept(r)
	var unknown *Error
	switch {
	case errors.As(err, &unknown):
		return nil, unknown
	case err != nil:
		return nil, nil
	}
	return &visit{key, s, center.User{ID: s.UserID, Inactive: true}}, nil
}

// kept returns the session of this Region that the browser has a cookie for,
// over or not. The error is ErrNoSession, or an *Error that the store can't tell.
func (p *Portal) kept(r *http.Request) (key string, s sessions.Session, err error) {
	c, err := r.Cookie(SessionCookie)
	if err != nil {
		return "", s, sessions.ErrNoSession
	}
	key = sessionKey(c.Value)
	s, err = p.cfg.Sessions.Get(r.Context(), key)
	switch {
	case errors.Is(err, sessions.ErrNoSession):
		return "", s, sessions.ErrNoSession
	case err != nil:
		return "", s, unavailable("read of the session", err)
	case s.Region != p.cfg.Region: // in a store that several Regions share
		return "", s, sessions.ErrNoSession
	}
	return key, s, nil
}

// endNow ends a session and returns why, or that it could not.
func (p *Portal) endNow(r *http.Request, key string, why error) error {
	if err := p.cfg.Sessions.End(r.Context(), key); err != nil {
		return unavailable("end of the session", err)
	}
	return why
}

// endUnknown ends the sessions of somebody whom the directory no longer has as
// active: all of them, or those that were not used meanwhile would come back to
// life together with the user. But a Region that does not find itself in the
// directory has no say in that: its copy may be gone, and with it everybody.
func (p *Portal) endUnknown(r *http.Request, key string, s sessions.Session, why *Error) error {
	if here, ok := p.regionNamed(p.cfg.Region); !ok || !here.Active() {
		return p.endNow(r, key, why)
	}
	if err := p.cfg.Sessions.RevokeUser(r.Context(), s.UserID); err != nil {
		return unavailable("end of the user's sessions", err)
	}
	return why
}

// active judges what the directory answered about a user.
func (p *Portal) active(u center.User, ok bool) (center.User, *Error) {
	switch {
	case !ok:
		return u, &Error{Reason: ReasonUnknownUser, Rule: "NameID equals a userName exactly", Want: "a user of the instance"}
	case u.Inactive:
		return u, &Error{Reason: ReasonInactiveUser, Rule: "the user is active", Want: "an active user"}
	}
	return u, nil
}
