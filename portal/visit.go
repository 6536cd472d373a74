package portal

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/meridian-saml/meridian/acs/sessions"
	"github.com/meridian-saml/meridian/portal/center"
)

// SessionCookie is the name of the session's cookie. Because of the prefix, browsers accept it only if it is Secure,
// for this host only and for every path.
const SessionCookie = "__Host-meridian-session"

// touchEvery is the maximum age of Seen, so that not every request writes. A session can become idle this much too
// early, never too late.
func (p *Portal) touchEvery() time.Duration { return min(time.Minute, p.cfg.IdleTimeout/10) }

type visit struct {
	key     string // the session's key in the store
	session sessions.Session
	user    center.User
}

type visitHandler func(http.ResponseWriter, *http.Request, *visit)

// visitor serves signed-in users. Other clients are sent to sign in, and come back after that.
func (p *Portal) visitor(h visitHandler) http.HandlerFunc { return p.signedInOnly(h, false) }

// visitorEvenStale is visitor for pages that only end access. They must work even if MaxStaleness is exceeded.
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
		case reloaded(r): // only the user signs in again
			http.Redirect(w, r, pathSignedOut, http.StatusSeeOther)
		case r.Method == http.MethodPost:
			// The form's content security policy would block a redirect to the identity provider, so that page has a link.
			http.Redirect(w, r, pathSignedOut, http.StatusSeeOther)
		case r.Method == http.MethodGet && r.URL.Path == pathHome && r.URL.RawQuery == "":
			p.askScript(w, r)
		default:
			http.Redirect(w, r, p.loginURL(r), http.StatusSeeOther)
		}
	}
}

// current returns the visit that a request belongs to. ErrNoSession means that there is no valid session. An *Error
// means that the store failed, or that the directory no longer has the user as active. With ReasonStale the visit is
// returned too: it is valid here, but may have been ended elsewhere.
func (p *Portal) current(r *http.Request) (*visit, error) {
	key, s, err := p.kept(r)
	if err != nil {
		return nil, err
	}
	now := p.now()
	if !now.Before(s.Expires) {
		return nil, p.endNow(r.Context(), key, sessions.ErrNoSession)
	}
	if s.Over(now, p.cfg.IdleTimeout) {
		return nil, sessions.ErrNoSession // kept in the store for idle and signOut
	}
	u, refused := p.active(p.cfg.Directory.UserByID(s.UserID))
	if refused != nil {
		refused.Got = s.UserName
		return nil, p.endUnknown(r.Context(), key, s, refused)
	}
	if refused := vouchedFor(u, s); refused != nil { // only this session, and not those of the right one
		return nil, p.endNow(r.Context(), key, refused)
	}
	if now.Sub(s.Seen) >= p.touchEvery() && !reloaded(r) {
		// ErrNoSession here is a concurrent sign-out.
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

// idle returns the browser's session that has gone idle, or nil. It gives no access. But other sessions of the same
// sign-in may be in use at other portals, so a new sign-in must join or end those.
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

// kept returns the session of this Region that the browser has a cookie for, even if it has expired. The error is
// ErrNoSession, or an *Error if the store failed.
func (p *Portal) kept(r *http.Request) (key string, s sessions.Session, err error) {
	c, err := r.Cookie(SessionCookie)
	if err != nil {
		return "", s, sessions.ErrNoSession
	}
	key = sessionKey(c.Value)
	s, err = p.cfg.Sessions.Get(r.Context(), key)
	if err != nil && !errors.Is(err, sessions.ErrNoSession) {
		return "", s, unavailable("read of the session", err)
	}
	if err != nil || s.Region != p.cfg.Region { // several Regions may share the store
		return "", s, sessions.ErrNoSession
	}
	return key, s, nil
}

// endNow ends a session and returns the reason, or the error if that failed.
func (p *Portal) endNow(ctx context.Context, key string, why error) error {
	if err := p.cfg.Sessions.End(ctx, key); err != nil {
		return unavailable("end of the session", err)
	}
	return why
}

// endUnknown ends the sessions of a user who is no longer active in the directory. It ends all of them: an unused
// session would be valid again when the user becomes active again. But if this Region isn't active in the directory
// either, its copy of the directory may be erased, so only this session ends.
func (p *Portal) endUnknown(ctx context.Context, key string, s sessions.Session, why *Error) error {
	if !p.activeRegion(p.cfg.Region) {
		return p.endNow(ctx, key, why)
	}
	if err := p.cfg.Sessions.RevokeUser(ctx, s.UserID); err != nil {
		return unavailable("end of the user's sessions", err)
	}
	p.auditLogout(ctx, s, byRegion, endedAll)
	return why
}

func (p *Portal) active(u center.User, ok bool) (center.User, *Error) {
	switch {
	case !ok:
		return u, newError(ReasonUnknownUser, "NameID equals a userName exactly", "a user of the instance", "")
	case u.Inactive:
		return u, newError(ReasonInactiveUser, "the user is active", "an active user", "")
	}
	return u, nil
}
