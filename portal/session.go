package portal

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"net/url"
	"time"

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
	session Session
	user    center.User
}

// visitor serves signed-in people. Others go to sign in and come back to where
// they wanted to go.
func (p *Portal) visitor(h func(http.ResponseWriter, *http.Request, *visit)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		v, err := p.current(r)
		var e *Error
		switch {
		case errors.Is(err, ErrNoSession):
			http.Redirect(w, r, loginURL(r), http.StatusSeeOther)
		case errors.As(err, &e) && e.Reason == ReasonUnavailable:
			p.refuse(w, r, http.StatusServiceUnavailable, e)
		case e != nil:
			p.clearCookie(w, SessionCookie)
			p.refuse(w, r, http.StatusForbidden, e)
		default:
			h(w, r, v)
		}
	}
}

// loginURL is where a request without a session goes.
func loginURL(r *http.Request) string {
	if r.URL.Path == PathHome {
		return PathLogin
	}
	return PathLogin + "?return_to=" + url.QueryEscape(r.URL.RequestURI())
}

// current returns the visit that a request belongs to. ErrNoSession means that
// there is none, or none any more; an *Error that the store can't tell, or
// that the directory no longer has the user as active.
func (p *Portal) current(r *http.Request) (*visit, error) {
	c, err := r.Cookie(SessionCookie)
	if err != nil {
		return nil, ErrNoSession
	}
	key := sessionKey(c.Value)
	s, err := p.cfg.Sessions.Get(r.Context(), key)
	if errors.Is(err, ErrNoSession) {
		return nil, err
	} else if err != nil {
		return nil, unavailable("read of the session", err)
	}
	now := p.cfg.Now()
	if s.over(now, p.cfg.IdleTimeout) {
		return nil, p.endNow(r, key, ErrNoSession)
	}
	u, refused := p.active(p.cfg.Directory.UserByID(s.UserID))
	if refused != nil {
		refused.Got = s.UserName
		return nil, p.endNow(r, key, refused)
	}
	if now.Sub(s.Seen) >= p.touchEvery() {
		// ErrNoSession here is a sign-out that happened in between.
		if err := p.cfg.Sessions.Touch(r.Context(), key, now); errors.Is(err, ErrNoSession) {
			return nil, err
		} else if err != nil {
			return nil, unavailable("write of the session", err)
		}
	}
	return &visit{key, s, u}, nil
}

// endNow ends a session and returns why, or that it could not.
func (p *Portal) endNow(r *http.Request, key string, why error) error {
	if err := p.cfg.Sessions.End(r.Context(), key); err != nil {
		return unavailable("end of the session", err)
	}
	return why
}

// active judges what the directory answered about a user.
func (p *Portal) active(u center.User, ok bool) (center.User, *Error) {
	switch {
	case !ok:
		return u, &Error{Reason: ReasonUnknownUser, Rule: "NameID equals a userName exactly", Want: "a user of the instance"}
	case !u.Active:
		return u, &Error{Reason: ReasonInactiveUser, Rule: "the user is active", Want: "an active user"}
	}
	return u, nil
}

// begin makes the session, under an identifier that nobody has seen before,
// and sets its cookie.
func (p *Portal) begin(w http.ResponseWriter, r *http.Request, s Session) error {
	id, err := p.secret()
	if err != nil {
		return unavailable("making of a session identifier", err)
	}
	if err := p.cfg.Sessions.Create(r.Context(), sessionKey(id), s); err != nil {
		return unavailable("write of the session", err)
	}
	// No Max-Age: the cookie goes with the browser, the session with its own
	// lifetimes.
	p.setCookie(w, SessionCookie, id, 0)
	return nil
}

// signOut ends the session here. The one at the identity provider is not ours
// to end, and the page says so.
func (p *Portal) signOut(w http.ResponseWriter, r *http.Request) {
	p.clearCookie(w, SessionCookie)
	if c, err := r.Cookie(SessionCookie); err == nil {
		key := sessionKey(c.Value)
		s, _ := p.cfg.Sessions.Get(r.Context(), key)
		if err := p.cfg.Sessions.End(r.Context(), key); err != nil {
			p.refuse(w, r, http.StatusServiceUnavailable, unavailable("end of the session", err))
			return
		}
		if s.UserID != "" {
			p.cfg.Logger.InfoContext(r.Context(), "portal: signed out", "region", p.cfg.Region, "user", s.UserName)
		}
	}
	http.Redirect(w, r, PathSignedOut, http.StatusSeeOther)
}

// secret returns 256 random bits as text.
func (p *Portal) secret() (string, error) {
	b := make([]byte, 32)
	if _, err := io.ReadFull(p.cfg.Rand, b); err != nil {
		return "", err
	}
	return base64.RawURLEncoding.EncodeToString(b), nil
}

// sessionKey hashes an identifier. It needs no salt: 256 random bits can't be
// guessed from their hash.
func sessionKey(id string) string { return hashed("portal session", id) }

func hashed(kind, secret string) string {
	sum := sha256.Sum256([]byte(kind + "|" + secret))
	return hex.EncodeToString(sum[:])
}

// setCookie sets a cookie for this host alone. A zero maxAge means until the
// browser closes.
func (p *Portal) setCookie(w http.ResponseWriter, name, value string, maxAge time.Duration) {
	http.SetCookie(w, &http.Cookie{
		Name: name, Value: value, Path: "/", MaxAge: int(maxAge / time.Second),
		Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	})
}

func (p *Portal) clearCookie(w http.ResponseWriter, name string) {
	p.setCookie(w, name, "", -time.Second)
}

func unavailable(what string, err error) *Error {
	return &Error{Reason: ReasonUnavailable, Rule: what, Want: "an answer", Err: err}
}
