package main

import (
	"cmp"
	"crypto/rand"
	"crypto/sha256"
	"html/template"
	"net/http"
	"sync"
	"time"

	"github.com/meridian-saml/meridian/acs"
)

// The "__Host-" prefix makes browsers keep the cookie to this host, and to
// https or this machine.
const (
	sessionCookie   = "__Host-sp-session"
	sessionLifetime = 8 * time.Hour
)

type session struct {
	user  string
	until time.Time
}

// sessions are in memory: a restart signs everybody out.
type sessions struct {
	mu sync.Mutex
	by map[[sha256.Size]byte]session // by the hash of what is in the cookie
}

func newSessions() *sessions { return &sessions{by: map[[sha256.Size]byte]session{}} }

// signedIn is called once for every assertion that passed all checks.
func (s *sessions) signedIn(w http.ResponseWriter, r *http.Request, l *acs.Login) {
	now := time.Now()
	until := now.Add(sessionLifetime)
	if end := l.Assertion.SessionNotOnOrAfter(); !end.IsZero() && end.Before(until) {
		until = end // the identity provider's wish (Core 2.7.2)
	}
	token := rand.Text() // always a new one: a planted one is worth nothing
	s.mu.Lock()
	for key, old := range s.by {
		if !now.Before(old.until) {
			delete(s.by, key)
		}
	}
	s.by[sha256.Sum256([]byte(token))] = session{l.Assertion.NameID().Value, until}
	s.mu.Unlock()
	setCookie(w, token, 0)
	http.Redirect(w, r, cmp.Or(l.ReturnTo, "/"), http.StatusSeeOther)
}

// current is who is signed in with this browser, or "".
func (s *sessions) current(r *http.Request) string {
	c, err := r.Cookie(sessionCookie)
	if err != nil {
		return ""
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	at := s.by[sha256.Sum256([]byte(c.Value))]
	if !time.Now().Before(at.until) {
		return ""
	}
	return at.user
}

func (s *sessions) signOut(w http.ResponseWriter, r *http.Request) {
	if c, err := r.Cookie(sessionCookie); err == nil {
		s.mu.Lock()
		delete(s.by, sha256.Sum256([]byte(c.Value)))
		s.mu.Unlock()
	}
	setCookie(w, "", -1)
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

// setCookie says Lax: Strict would be missing from the request that follows
// the identity provider's POST.
func setCookie(w http.ResponseWriter, value string, maxAge int) {
	http.SetCookie(w, &http.Cookie{Name: sessionCookie, Value: value, Path: "/", MaxAge: maxAge,
		Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode})
}

var home = template.Must(template.New("home").Parse(`<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1"><title>Service provider</title></head>
<body>{{if .}}<p>Signed in as <strong>{{.}}</strong></p>
<form method="post" action="/sign-out"><button>Sign out</button></form>
{{else}}<p>Not signed in. <a href="/login">Sign in</a></p>
{{end}}</body></html>
`))

func (s *sessions) page(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", "default-src 'none'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
	h.Set("Cache-Control", "no-store")
	_ = home.Execute(w, s.current(r))
}
