package middleware_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs/middleware"
	"github.com/meridian-saml/meridian/acs/sessions"
	"github.com/meridian-saml/meridian/mockidp"
	"github.com/meridian-saml/meridian/saml"
)

const cookieName = "__Host-meridian-session"

// A user who opens a deep link signs in and returns to it.
func TestDeepLink(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	p := w.signIn(b, base+"/reports/7?year=2026&q=a%20b", alice)
	require.Equal(t, http.StatusOK, p.Status)
	require.Equal(t, "GET /reports/7?year=2026&q=a%20b as "+alice, p.Body)
	require.Equal(t, "no-store", p.Header.Get("Cache-Control"))

	c := b.Jar[host][cookieName]
	require.True(t, c.Secure && c.HttpOnly && c.Path == "/" && c.Domain == "" && c.MaxAge == 0)
	require.Equal(t, http.SameSiteLaxMode, c.SameSite)
	require.Len(t, b.Jar[host], 1, "the other cookies of the sign-in are gone")

	p = w.open(b, base+"/other")
	require.Equal(t, "GET /other as "+alice, p.Body)
}

// A deep link is the path that the browser sent, also where the program changes the URL in between.
func TestDeepLinkWithStripPrefix(t *testing.T) {
	w := newWorld(t)
	w.handler = behindPrefix(w, w.guard.Require(http.HandlerFunc(show)))
	p := w.signIn(w.browser(), base+"/app/reports?year=2026", alice)
	require.Equal(t, "/app/reports?year=2026", p.URL.RequestURI())
	require.Equal(t, "GET /reports?year=2026 as "+alice, p.Body)
}

// behindPrefix serves next below /app, without that prefix, with the request lines of a browser.
func behindPrefix(w *world, next http.Handler) http.Handler {
	mux := http.NewServeMux()
	w.guard.Mount(mux)
	mux.Handle("/app/", http.StripPrefix("/app", next))
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		r.RequestURI = r.URL.RequestURI()
		mux.ServeHTTP(rw, r)
	})
}

// A path that is no safe target, or is too long, is not returned to.
func TestDeepLinkIsLocal(t *testing.T) {
	for _, path := range []string{"//evil.example/", "/" + strings.Repeat("a", 2048), "/%5Cevil.example"} {
		w := newWorld(t)
		protected := w.guard.Require(http.HandlerFunc(show))
		w.handler = http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) { // a mux would redirect from "//"
			if strings.HasPrefix(r.URL.Path, "/saml/") {
				w.guard.ServeHTTP(rw, r)
				return
			}
			protected.ServeHTTP(rw, r)
		})
		p := w.signIn(w.browser(), base+path, alice)
		require.Equal(t, "/", p.URL.RequestURI(), path)
	}
}

// Requests that aren't navigations get 401, no redirect, no cookie and no record.
func TestOthersGet401(t *testing.T) {
	store := new(countingStore)
	w := newWorld(t, func(c *middleware.Config) { store.Store, c.Store = c.Store, store })
	send := func(method string, header ...string) *http.Response {
		r, err := http.NewRequest(method, base+"/api", nil)
		require.NoError(t, err)
		r.Header.Set("Accept", "text/html")
		for i := 0; i < len(header); i += 2 {
			r.Header.Set(header[i], header[i+1])
		}
		res, err := w.browser().Transport.RoundTrip(r)
		require.NoError(t, err)
		return res
	}
	for _, c := range [][]string{
		{"GET", "Accept", "*/*"}, {"GET", "Accept", "application/json"}, {"POST"}, {"PUT"}, {"OPTIONS"},
		{"GET", "Sec-Fetch-Mode", "cors"}, {"GET", "Sec-Fetch-Dest", "iframe"}, {"GET", "X-Requested-With", "XMLHttpRequest"},
		{"GET", "Sec-Purpose", "prefetch"}, {"GET", "Upgrade", "websocket"},
	} {
		res := send(c[0], c[1:]...)
		require.Equal(t, http.StatusUnauthorized, res.StatusCode, c)
		require.Equal(t, `SAML realm="`+base+`/saml"`, res.Header.Get("WWW-Authenticate"))
		require.Equal(t, "no-store", res.Header.Get("Cache-Control"))
		require.Empty(t, res.Header.Get("Location"))
		require.Empty(t, res.Header.Values("Set-Cookie"))
	}
	require.Zero(t, store.added)
	require.Equal(t, http.StatusSeeOther, send("GET").StatusCode) // the control
	require.Equal(t, 1, store.added)
	res := send("HEAD")
	require.Equal(t, 1, store.added)
	require.Equal(t, "/saml/login", res.Header.Get("Location"))
	require.Empty(t, res.Header.Values("Set-Cookie"))
}

// A sign-in makes a new token, so that one that an attacker has planted gives no access.
func TestSessionFixation(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	w.signIn(b, base+"/", alice)
	first := b.Jar.Value(host, cookieName)
	thief := b.Copy()
	require.Equal(t, "GET / as "+alice, w.open(thief, base+"/").Body) // the control

	p := w.signIn(b, base+"/saml/login?return_to=/again", alice)
	require.Equal(t, "GET /again as "+alice, p.Body)
	require.NotEqual(t, first, b.Jar.Value(host, cookieName))
	require.Equal(t, http.StatusSeeOther, look(t, thief, base+"/").Status)
}

// Another user's sign-in changes nothing before the signed-in user agrees (K02).
func TestAnotherUserIsAsked(t *testing.T) {
	for _, answer := range []string{"stay", "continue"} {
		w := newWorld(t)
		b := w.browser()
		w.signIn(b, base+"/", alice)
		w.forget(b)
		p := w.signIn(b, base+"/saml/login?return_to=/reports", bob)
		require.Equal(t, http.StatusOK, p.Status)
		require.Contains(t, p.Text(), "Continue as \u2068"+bob+"\u2069?")
		require.Equal(t, "GET / as "+alice, w.open(b.Copy(), base+"/").Body)
		form, ok := p.FormFor("/saml/continue")
		require.True(t, ok)

		// Another site can't answer, nor can a script.
		cross, err := b.Copy().Go(onlyFrom("https://evil.example", form.Values(), answer))
		require.NoError(t, err)
		require.Equal(t, http.StatusForbidden, cross.Status)

		p, err = b.Go(onlyFrom(base, form.Values(), answer))
		require.NoError(t, err)
		if answer == "stay" {
			require.Equal(t, "GET / as "+alice, p.Body)
		} else {
			require.Equal(t, "GET /reports as "+bob, p.Body)
		}
		// The answer counts once.
		p, err = b.Go(onlyFrom(base, form.Values(), "continue"))
		require.NoError(t, err)
		require.Equal(t, "/", p.URL.Path)
		require.Len(t, b.Jar[host], 1)
	}
}

// A session ends when it is idle, at its maximum age, and at the assertion's SessionNotOnOrAfter.
func TestLifetime(t *testing.T) {
	w := newWorld(t, func(c *middleware.Config) { c.SessionLifetime, c.IdleTimeout = 3*time.Hour, time.Hour })
	b := w.browser()
	w.signIn(b, base+"/", alice)
	signedIn := func() bool { return look(t, b, base+"/").Status == http.StatusOK }
	for range 5 {
		w.clock.Advance(30 * time.Minute)
		require.True(t, signedIn())
	}
	w.clock.Advance(30 * time.Minute) // 3 h
	require.False(t, signedIn())

	w.signIn(b, base+"/", alice)
	w.clock.Advance(time.Hour - time.Second)
	require.True(t, signedIn())
	w.clock.Advance(time.Hour)
	require.False(t, signedIn())

	require.NoError(t, w.idp.UpdateApp("", func(a *mockidp.App) error {
		a.SessionLifetime = 10 * time.Minute
		return nil
	}))
	w.signIn(b, base+"/", alice)
	w.clock.Advance(10*time.Minute - time.Second)
	require.True(t, signedIn())
	w.clock.Advance(time.Second)
	require.False(t, signedIn())
}

// A program doesn't accept the cookie of another program with the same stores.
func TestCookieOfAnotherProgram(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	w.signIn(b, base+"/", alice)
	other, err := saml.New(saml.Config{
		EntityID: base + "/other", ACS: []saml.Endpoint{{URL: base + "/saml/acs"}}, IdP: w.source, Now: w.clock.Now,
	})
	require.NoError(t, err)
	for name, edit := range map[string]func(*middleware.Config){
		"the same one":             func(*middleware.Config) {},
		"another service provider": func(c *middleware.Config) { c.SP = other },
	} {
		guard, err := middleware.New(w.config(edit))
		require.NoError(t, err)
		w.handler = guard.Load(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			fmt.Fprint(rw, middleware.From(r.Context()) != nil)
		}))
		again := w.browser() // which reaches this program
		again.Jar = b.Jar.Copy()
		require.Equal(t, fmt.Sprint(name == "the same one"), w.open(again, base+"/").Body, name)
	}
}

// A page for everyone knows who is signed in, and is not shown while the store can't answer.
func TestLoad(t *testing.T) {
	store := &brokenStore{MemoryStore: sessions.NewMemoryStore(sessions.MemoryConfig{})}
	w := newWorld(t, func(c *middleware.Config) { c.Sessions = store })
	mux := http.NewServeMux()
	mux.Handle("/", w.handler)
	mux.Handle("/public", w.guard.Load(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		fmt.Fprint(rw, middleware.From(r.Context()) != nil)
	})))
	w.handler = mux
	b := w.browser()
	require.Equal(t, "false", w.open(b, base+"/public").Body)
	w.signIn(b, base+"/", alice)
	require.Equal(t, "true", w.open(b, base+"/public").Body)
	store.err = errors.New("disk full")
	require.Equal(t, http.StatusServiceUnavailable, w.open(b, base+"/public").Status)
}

// The link to finish a sign-in works in its own browser only, and once.
func TestContinueIsBound(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	var at string
	b.Stay = func(to *url.URL) bool {
		if to.Path == "/saml/continue" {
			at = to.String()
		}
		return at != ""
	}
	w.signIn(b, base+"/", alice)
	require.NotEmpty(t, at)
	b.Stay = nil
	other := w.browser()
	p := w.open(other, at)
	require.Equal(t, http.StatusForbidden, p.Status)
	require.Contains(t, p.Text(), "This sign-in is over")
	require.Equal(t, "GET / as "+alice, w.open(b, at).Body)
	require.Equal(t, "/", w.open(b, at).URL.Path) // a signed-in user came back to it
}
