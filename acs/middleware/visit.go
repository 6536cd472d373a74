package middleware

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"github.com/meridian-saml/meridian/acs/sessions"
)

// visit is a request's session.
type visit struct {
	key   string // in Config.Sessions
	entry sessions.Session
	*Session
}

// current returns the visit that a request belongs to. ErrNoSession: there is no valid session. Another error says that
// the store failed.
func (g *Guard) current(r *http.Request) (*visit, error) {
	key, s, err := g.kept(r)
	if err != nil {
		return nil, err
	}
	now := g.now()
	if s.Over(now, g.cfg.IdleTimeout) {
		return nil, sessions.ErrNoSession
	}
	// The maximum age of Seen, so that not every request writes: a session can become idle so much too early.
	if now.Sub(s.Seen) >= min(time.Minute, g.cfg.IdleTimeout/10) {
		// ErrNoSession here is a concurrent sign-out.
		if err := g.cfg.Sessions.Touch(r.Context(), key, now); errors.Is(err, sessions.ErrNoSession) {
			return nil, err
		} else if err != nil {
			return nil, unavailable("write of the session", err)
		}
	}
	out, err := g.sessionOf(s)
	if err != nil { // of a newer version
		return nil, unavailable("data of the session", err)
	}
	return &visit{key, s, out}, nil
}

// kept returns the session of this Region that the browser has a cookie for, even if it is idle or has expired.
func (g *Guard) kept(r *http.Request) (key string, s sessions.Session, err error) {
	c, err := r.Cookie(g.cfg.CookieName)
	if err != nil || !isSecret(c.Value) {
		return "", s, sessions.ErrNoSession
	}
	key = g.hashed("session", c.Value)
	s, err = g.cfg.Sessions.Get(r.Context(), key)
	if err != nil && !errors.Is(err, sessions.ErrNoSession) {
		return "", s, unavailable("read of the session", err)
	}
	if err != nil || s.Region != g.cfg.Region { // several Regions may share the store
		return "", s, sessions.ErrNoSession
	}
	return key, s, nil
}

// hashed returns the store's key of a secret. It needs no salt, because 256 random bits can't be guessed from their
// hash. It depends on the service provider and on the cookie, so that programs that share a store don't accept each
// other's cookies.
func (g *Guard) hashed(kind, secret string) string {
	b, _ := json.Marshal([]string{"middleware", kind, g.cfg.SP.EntityID(), g.cfg.CookieName, secret}) // can't fail
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

func newSecret() string {
	var b [32]byte
	rand.Read(b[:])
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// isSecret reports whether s has the form of a secret.
func isSecret(s string) bool {
	b, err := base64.RawURLEncoding.Strict().DecodeString(s)
	return err == nil && len(b) == 32
}

// newName returns a unique name that is not secret.
func newName() string {
	var b [16]byte
	rand.Read(b[:])
	return hex.EncodeToString(b[:])
}

// isName reports whether s has the form of a name.
func isName(s string) bool {
	b, err := hex.DecodeString(s)
	return err == nil && len(b) == 16
}

// setCookie sets a cookie for this host only. A Strict cookie would not be sent with the redirect that follows the
// identity provider's POST. A zero age makes it end with the browser.
func setCookie(w http.ResponseWriter, name, value string, age time.Duration) {
	http.SetCookie(w, &http.Cookie{
		Name: name, Value: value, Path: "/", MaxAge: int(age / time.Second),
		Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	})
}

func clearCookie(w http.ResponseWriter, name string) { setCookie(w, name, "", -time.Second) }
