package main

import (
	"cmp"
	"crypto/rand"
	"crypto/sha256"
	"html/template"
	"maps"
	"net/http"
	"sync"
	"time"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/saml"
)

// The "__Host-" prefix makes browsers keep the cookie to this host, over https or to loopback.
const (
	sessionCookie   = "__Host-sp-session"
	sessionLifetime = 8 * time.Hour
	// nextCookie holds a sign-in that is not a session yet; see signedIn.
	nextCookie   = "__Host-sp-next"
	nextLifetime = time.Minute
)

// user is what the program needs of an assertion. Add fields for your own attributes. For a user without one that is
// required, package acs has a page.
type user struct {
	Login string `saml:",nameid,required"`
	Name  string `saml:"displayName"`
}

type session struct {
	user  user
	until time.Time
}

// next is a session that begins with the next page.
type next struct {
	session
	until time.Time // to begin
}

// hash is the hash of a cookie, so that a copy of the memory reveals no session.
type hash [sha256.Size]byte

func hashOf(token string) hash { return sha256.Sum256([]byte(token)) }

// sessions are in memory: a restart signs all users out.
type sessions struct {
	users *saml.Decoder[user]

	mu   sync.Mutex
	by   map[hash]session // by the session cookie
	next map[hash]next    // by the other cookie
}

func newSessions() (*sessions, error) {
	users, err := saml.NewDecoder[user](saml.DecoderConfig{
		Names: []saml.Names{saml.LDAPNames(), saml.MicrosoftNames(), saml.OktaNames()},
	})
	return &sessions{users: users, by: map[hash]session{}, next: map[hash]next{}}, err
}

// signedIn is called once for every accepted assertion. The response is posted by another site, so browsers don't
// send the session cookie with it. Therefore the session begins with the next page, which can end an earlier one.
func (s *sessions) signedIn(w http.ResponseWriter, r *http.Request, l *acs.Login) {
	who, err := s.users.Decode(l.Assertion)
	if err != nil {
		l.MissingAttributes(w, r, err)
		return
	}
	now := time.Now().Round(0) // the wall clock, which continues while the machine is suspended
	until := now.Add(sessionLifetime)
	if end := l.Assertion.SessionNotOnOrAfter(); !end.IsZero() && end.Before(until) {
		until = end // the identity provider's limit (Core 2.7.2)
	}
	token := rand.Text()
	s.mu.Lock()
	maps.DeleteFunc(s.by, func(_ hash, old session) bool { return !now.Before(old.until) })
	maps.DeleteFunc(s.next, func(_ hash, old next) bool { return !now.Before(old.until) })
	s.next[hashOf(token)] = next{session{who, until}, now.Add(nextLifetime)}
	s.mu.Unlock()
	setCookie(w, nextCookie, token, int(nextLifetime.Seconds()))
	http.Redirect(w, r, cmp.Or(l.ReturnTo, "/"), http.StatusSeeOther)
}

// current returns the user who is signed in with this browser, or nil.
func (s *sessions) current(w http.ResponseWriter, r *http.Request) *user {
	now := time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	at := s.by[hashOf(cookie(r, sessionCookie))]
	if key := cookie(r, nextCookie); key != "" {
		setCookie(w, nextCookie, "", -1)
		if next, ok := s.next[hashOf(key)]; ok && now.Before(next.until) {
			delete(s.next, hashOf(key))
			delete(s.by, hashOf(cookie(r, sessionCookie)))
			token := rand.Text() // always a new one, so an attacker can't plant it
			s.by[hashOf(token)] = next.session
			setCookie(w, sessionCookie, token, 0)
			at = next.session
		}
	}
	if !now.Before(at.until) {
		return nil
	}
	return &at.user
}

// cookie returns a cookie's value, or "".
func cookie(r *http.Request, name string) string {
	c, err := r.Cookie(name)
	if err != nil {
		return ""
	}
	return c.Value
}

func (s *sessions) signOut(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	delete(s.by, hashOf(cookie(r, sessionCookie)))
	delete(s.next, hashOf(cookie(r, nextCookie)))
	s.mu.Unlock()
	setCookie(w, sessionCookie, "", -1)
	setCookie(w, nextCookie, "", -1)
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

// setCookie sets SameSite=Lax: a Strict cookie would not be sent with the request that follows the identity
// provider's POST.
func setCookie(w http.ResponseWriter, name, value string, maxAge int) {
	http.SetCookie(w, &http.Cookie{Name: name, Value: value, Path: "/", MaxAge: maxAge,
		Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode})
}

var home = template.Must(template.New("home").Parse(`<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<title>Service provider</title></head>
<body>{{if .}}<p>Signed in as <strong>{{.Login}}</strong>{{with .Name}} ({{.}}){{end}}</p>
<form method="post" action="/sign-out"><button>Sign out</button></form>
{{else}}<p>Not signed in. <a href="/login">Sign in</a></p>
{{end}}</body></html>
`))

func (s *sessions) page(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", "default-src 'none'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
	h.Set("Cache-Control", "no-store")
	_ = home.Execute(w, s.current(w, r))
}
