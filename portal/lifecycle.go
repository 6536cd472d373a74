package portal

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/meridian-saml/meridian/acs/sessions"
)

// replace ends the session that the browser had and begins s: who it is of, and
// what it is the outcome of, is for the caller to say. A sign-in of the same
// person joins the one before, so that to sign out still ends what that was
// handed to. What can't join ends it all: somebody else's, or what another
// sign-in of the same person's is handed on from.
func (p *Portal) replace(w http.ResponseWriter, r *http.Request, before *visit, s sessions.Session) *Error {
	if why := p.mayBegin(); why != nil {
		return why
	}
	now := p.cfg.Now()
	s.Region, s.Host = p.cfg.Region, p.place(r).origin()
	s.Created, s.Seen = now, now
	if end := now.Add(p.cfg.SessionLifetime); s.Expires.IsZero() || end.Before(s.Expires) {
		s.Expires = end
	}
	if s.Over(now, p.cfg.IdleTimeout) {
		return &Error{Reason: ReasonSessionOver, Rule: "SessionNotOnOrAfter (Profiles 4.1.4.3)", Want: "after " + now.UTC().Format(time.RFC3339), Got: s.Expires.UTC().Format(time.RFC3339)}
	}
	if before != nil {
		var err error
		if before.user.ID == s.UserID && s.SignIn == "" {
			s.SignIn = before.session.SignIn
		} else if before.user.ID != s.UserID || before.session.SignIn != s.SignIn {
			err = p.cfg.Sessions.EndSignIn(r.Context(), before.user.ID, before.session.SignIn, p.forgettable())
		}
		if err == nil {
			err = p.cfg.Sessions.End(r.Context(), before.key)
		}
		if err != nil {
			return unavailable("end of the session before", err)
		}
	}
	return p.begin(w, r, s)
}

// begin makes the session, under an identifier that nobody has seen before,
// and sets its cookie.
func (p *Portal) begin(w http.ResponseWriter, r *http.Request, s sessions.Session) *Error {
	id, err := p.secret()
	if err == nil {
		s.ID, err = p.random(nameBytes)
	}
	if err == nil && s.SignIn == "" {
		s.SignIn, err = p.random(nameBytes)
	}
	if err != nil {
		return unavailable("making of a session identifier", err)
	}
	if err := p.cfg.Sessions.Create(r.Context(), sessionKey(id), s); err != nil {
		return unavailable("write of the session", err)
	}
	// What ended it may have come between the proof and now. To find that out
	// at the next request would look like a sign-in that doesn't hold.
	if _, err := p.cfg.Sessions.Get(r.Context(), sessionKey(id)); errors.Is(err, sessions.ErrNoSession) {
		return &Error{Reason: ReasonRevoked, Rule: "sign-in", Want: "one that was not ended meanwhile", Got: s.UserName}
	} else if err != nil {
		return unavailable("read of the session", err)
	}
	// No Max-Age: the cookie goes with the browser, the session with its own
	// lifetimes.
	p.setCookie(w, SessionCookie, id, 0)
	return nil
}

// signOut ends every session that came from the sign-in, at every portal and in
// every Region. The one at the identity provider is not ours to end, and the
// page says so. The cookie goes last: while the store can't end the session,
// who holds a copy of the cookie is still in, and the person must be able to
// try again.
func (p *Portal) signOut(w http.ResponseWriter, r *http.Request) {
	if c, err := r.Cookie(SessionCookie); err == nil {
		key := sessionKey(c.Value)
		s, err := p.cfg.Sessions.Get(r.Context(), key)
		if errors.Is(err, sessions.ErrNoSession) {
			s, err = p.surely(r.Context(), key)
		}
		if err == nil && s.Region == p.cfg.Region {
			err = p.cfg.Sessions.EndSignIn(r.Context(), s.UserID, s.SignIn, p.forgettable())
		}
		if err == nil || errors.Is(err, sessions.ErrNoSession) {
			err = p.cfg.Sessions.End(r.Context(), key)
		}
		if err != nil {
			p.refuse(w, r, unavailable("end of the session", err))
			return
		}
		if s.UserID != "" {
			p.cfg.Logger.InfoContext(r.Context(), "portal: signed out", "region", p.cfg.Region, "user", s.UserName)
		}
	}
	p.forgetBrowser(w)
	http.Redirect(w, r, pathSignedOut, http.StatusSeeOther)
}

// surely is Sessions.Get where the answer that there is no session would be
// taken for its end: it was made at another node perhaps, a moment ago.
func (p *Portal) surely(ctx context.Context, key string) (sessions.Session, error) {
	if all, ok := p.cfg.Sessions.(sessions.CatchUp); ok {
		if err := all.CatchUp(ctx); err != nil {
			return sessions.Session{}, err
		}
	}
	return p.cfg.Sessions.Get(ctx, key)
}

// forgettable is when nothing that came from a sign-in of before now can be
// alive any more, with room for clocks that differ.
func (p *Portal) forgettable() time.Time {
	return p.cfg.Now().Add(p.cfg.SessionLifetime + time.Hour)
}
