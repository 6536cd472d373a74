package middleware_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs/middleware"
	"github.com/meridian-saml/meridian/mockidp"
	"github.com/meridian-saml/meridian/saml"
)

// withPath is a world in which /admin requires more.
func withPath(t *testing.T, q middleware.Requirement) *world {
	w := newWorld(t)
	mux := http.NewServeMux()
	mux.Handle("/", w.handler)
	mux.Handle("/admin", w.guard.RequireWith(q)(http.HandlerFunc(show)))
	w.handler = mux
	return w
}

// A path with a MaxAuthnAge makes the user authenticate again, in the same session, and returns to it.
func TestFreshness(t *testing.T) {
	w := withPath(t, middleware.Requirement{MaxAuthnAge: 5 * time.Minute})
	b := w.browser()
	w.signIn(b, base+"/", alice)
	require.Equal(t, "GET /admin as "+alice, w.open(b, base+"/admin").Body)
	w.clock.Advance(5*time.Minute + w.sp.Skew())
	require.Equal(t, http.StatusOK, look(t, b, base+"/admin").Status)
	w.clock.Advance(time.Second)
	require.Contains(t, w.open(b, base+"/admin").Body, `type="password"`)
	require.Equal(t, "GET / as "+alice, w.open(b, base+"/").Body)

	res, err := b.Client().Get(base + "/admin") // a script
	require.NoError(t, err)
	require.Equal(t, http.StatusUnauthorized, res.StatusCode)
	require.Contains(t, res.Header.Get("WWW-Authenticate"), `error="insufficient_user_authentication"`)

	p := w.signIn(b, base+"/admin", alice)
	require.Equal(t, "GET /admin as "+alice, p.Body)
}

// A path with an AuthnContext asks for it.
func TestAuthnContext(t *testing.T) {
	factor := &saml.RequestedAuthnContext{ClassRefs: []string{mockidp.MultiFactor}}
	w := withPath(t, middleware.Requirement{AuthnContext: factor})
	b := w.browser()
	w.signIn(b, base+"/", alice)
	session := b.Jar.Value(host, cookieName)
	require.Equal(t, http.StatusSeeOther, look(t, b, base+"/admin").Status)
	p := w.signIn(b, base+"/admin", alice)
	require.Equal(t, "GET /admin as "+alice, p.Body)
	require.NotEqual(t, session, b.Jar.Value(host, cookieName))
	require.Equal(t, "GET /admin as "+alice, w.open(b, base+"/admin").Body)
}

// Another user's answer to a step-up changes nothing and is asked about (K02).
func TestStepUpByAnotherUser(t *testing.T) {
	w := withPath(t, middleware.Requirement{MaxAuthnAge: time.Minute})
	b := w.browser()
	w.signIn(b, base+"/", alice)
	session := b.Jar.Value(host, cookieName)
	w.clock.Advance(10 * time.Minute)
	p := w.signIn(b, base+"/admin", bob)
	require.Contains(t, p.Text(), "Continue as \u2068"+bob+"\u2069?")
	require.Equal(t, session, b.Jar.Value(host, cookieName))
	require.Equal(t, "GET / as "+alice, w.open(b, base+"/").Body)
	require.NotEqual(t, http.StatusOK, look(t, b, base+"/admin").Status)

	form, _ := p.FormFor("/saml/continue")
	p, err := b.Go(onlyFrom(base, form.Values(), "continue"))
	require.NoError(t, err)
	require.Equal(t, "GET /admin as "+bob, p.Body)
}

// A path with Attributes is for users who have one of the values.
func TestAttributeRule(t *testing.T) {
	w := withPath(t, middleware.Requirement{Attributes: map[string][]string{"firstName": {"alice", "carol"}}})
	a, b := w.browser(), w.browser()
	require.Equal(t, "GET /admin as "+alice, w.signIn(a, base+"/admin", alice).Body)
	p := w.signIn(b, base+"/admin", bob)
	require.Equal(t, http.StatusForbidden, p.Status)
	require.Contains(t, p.Text(), "You don't have access to this page")
	res, err := b.Client().Get(base + "/admin")
	require.NoError(t, err)
	require.Equal(t, http.StatusForbidden, res.StatusCode)
	require.Contains(t, res.Header.Get("Content-Type"), "text/plain")
}

// An invalid Requirement is found when the program starts.
func TestInvalidRequirement(t *testing.T) {
	w := newWorld(t)
	for _, q := range []middleware.Requirement{
		{MaxAuthnAge: -1}, {MaxAuthnAge: time.Second}, {AuthnContext: &saml.RequestedAuthnContext{}},
	} {
		require.Panics(t, func() { w.guard.RequireWith(q) })
	}
	require.NotPanics(t, func() { w.guard.RequireWith(middleware.Requirement{MaxAuthnAge: time.Minute}) })
}
