package portal

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"net/http"
	"time"

	"github.com/meridian-saml/meridian/acs/sessions"
	"github.com/meridian-saml/meridian/portal/audit"
)

const (
	nameBytes = 16 // the length of unique names that are not secret
	tagBytes  = 8  // the length of names that are unique within a browser
)

func newSecret() string {
	var b [32]byte // 256 bits
	rand.Read(b[:])
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// isSecret reports whether s has the form of a secret.
func isSecret(s string) bool {
	b, err := base64.RawURLEncoding.Strict().DecodeString(s)
	return err == nil && len(b) == 32
}

func randomHex(n int) string {
	b := make([]byte, n)
	rand.Read(b)
	return hex.EncodeToString(b)
}

// hashed returns a store's key for a secret. It needs no salt, because 256 random bits can't be guessed from their
// hash. No kind contains "|". Older versions' sessions and codes have these keys, so they can't change to the hashes of
// acs or portal/replica.
func hashed(kind, secret string) string {
	sum := sha256.Sum256([]byte(kind + "|" + secret))
	return hex.EncodeToString(sum[:])
}

func sessionKey(id string) string { return hashed("portal session", id) }

// setCookie sets a cookie for this host only. A zero maxAge makes it a session cookie.
func (p *Portal) setCookie(w http.ResponseWriter, name, value string, maxAge time.Duration) {
	http.SetCookie(w, &http.Cookie{
		Name: name, Value: value, Path: "/", MaxAge: int(maxAge / time.Second),
		Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	})
}

func (p *Portal) clearCookie(w http.ResponseWriter, name string) {
	p.setCookie(w, name, "", -time.Second)
}

// replace ends before, the browser's earlier session, if there is one, and begins s. A new sign-in of the same user
// joins the earlier sign-in, so that signing out also ends the sessions that were handed off from it. If s can't join
// (it is of another user, or was handed off from another sign-in), the whole earlier sign-in ends.
//
// e is the event of the new session.
func (p *Portal) replace(
	w http.ResponseWriter, r *http.Request, before *visit, s sessions.Session, e audit.Event,
) *Error {
	if why := p.mayBegin(); why != nil {
		return why
	}
	if why := p.checkLoggedOut(r.Context(), s); why != nil { // before anything ends
		return why
	}
	now := p.now()
	s.Region, s.Host, s.Data = p.cfg.Region, p.place(r).origin(), p.sentFrom(r)
	s.Created, s.Seen = now, now
	if end := now.Add(p.cfg.SessionLifetime); s.Expires.IsZero() || end.Before(s.Expires) {
		s.Expires = end
	}
	if s.Over(now, p.cfg.IdleTimeout) {
		const rule = "SessionNotOnOrAfter (Profiles 4.1.4.3)"
		want := "after " + now.UTC().Format(time.RFC3339)
		return newError(ReasonSessionOver, rule, want, s.Expires.UTC().Format(time.RFC3339))
	}
	if before != nil {
		var err error
		if before.user.ID == s.UserID && s.SignIn == "" {
			s.SignIn = before.session.SignIn
		} else if before.user.ID != s.UserID || before.session.SignIn != s.SignIn {
			err = p.endSignIn(r.Context(), before.session)
		}
		if err == nil {
			err = p.cfg.Sessions.End(r.Context(), before.key)
		}
		if err != nil {
			return unavailable("end of the earlier session", err)
		}
	}
	return p.begin(w, r, s, e)
}

func (p *Portal) begin(w http.ResponseWriter, r *http.Request, s sessions.Session, e audit.Event) *Error {
	id := newSecret()
	if s.SignIn == "" {
		s.SignIn = randomHex(nameBytes)
	}
	if why := p.create(r.Context(), sessionKey(id), s); why != nil {
		return why
	}
	if why := p.grant(r.Context(), e); why != nil {
		return p.takeBack(r.Context(), sessionKey(id), why)
	}
	p.setCookie(w, SessionCookie, id, 0)
	p.forgetSignOut(w, r)
	return nil
}

// takeBack ends a session whose event could not be written, also if the client has hung up, and returns why no session
// begins.
func (p *Portal) takeBack(ctx context.Context, key string, why *Error) *Error {
	if err := p.cfg.Sessions.End(context.WithoutCancel(ctx), key); err != nil {
		return unavailable("end of a session without an event", err)
	}
	return why
}

// create stores a session. The sign-in may have been revoked since it was verified. Without the check, the next request
// would refuse the session, and the user would see no reason.
func (p *Portal) create(ctx context.Context, key string, s sessions.Session) *Error {
	if err := p.cfg.Sessions.Create(ctx, key, s); err != nil {
		return unavailable("write of the session", err)
	}
	_, err := p.cfg.Sessions.Get(ctx, key)
	if errors.Is(err, sessions.ErrNoSession) {
		if why := p.checkLoggedOut(ctx, s); why != nil {
			return why
		}
		return newError(ReasonRevoked, "sign-in", "a session that was not ended meanwhile", s.UserName)
	} else if err != nil {
		return unavailable("read of the session", err)
	}
	return nil
}

// endSignIn ends every session of a session's sign-in, in every Region. The store may drop that record when all of
// these sessions have expired, and an hour later to allow for clocks that differ.
func (p *Portal) endSignIn(ctx context.Context, s sessions.Session) error {
	return p.cfg.Sessions.EndSignIn(ctx, s.UserID, s.SignIn, p.now().Add(p.cfg.SessionLifetime+time.Hour))
}
