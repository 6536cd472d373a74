package middleware_test

import (
	"errors"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs/middleware"
	"github.com/meridian-saml/meridian/acs/sessions"
	"github.com/meridian-saml/meridian/mockidp"
	"github.com/meridian-saml/meridian/mockidp/testkit"
	"github.com/meridian-saml/meridian/saml"
)

// Signing out ends the session here, in other browsers with its cookie, and at the identity provider.
func TestSignOut(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	w.signIn(b, base+"/", alice)
	copied := b.Copy()
	p := w.post(b, base+"/saml/logout", url.Values{})
	require.Equal(t, http.StatusOK, p.Status)
	require.Contains(t, p.Text(), "Your sessions here and at your identity provider have ended.")
	require.Contains(t, w.logs.String(), "single_logout=true")
	require.Empty(t, b.Jar.Value(host, cookieName))
	require.Equal(t, http.StatusSeeOther, look(t, copied, base+"/").Status)
	require.Contains(t, w.open(b, base+"/").Body, `type="password"`, "the identity provider asks for the password")

	p = w.post(w.browser(), base+"/saml/logout", url.Values{}) // nothing to sign out of
	require.Equal(t, http.StatusOK, p.Status)
	require.Contains(t, p.Text(), "You are signed out here")
}

// After signing out, a sign-in that was pending in the browser can't be finished. The control is TestContinueIsBound. A
// cookie of another program stays.
func TestSignOutDropsPendingSignIns(t *testing.T) {
	const other = cookieName + "-admin"
	w := newWorld(t)
	b := w.browser()
	w.signIn(b, base+"/", alice)
	w.forget(b)
	p := w.signIn(b, base+"/saml/login", bob)
	form, ok := p.FormFor("/saml/continue")
	require.True(t, ok, p.Body)
	b.Jar[host][other] = &http.Cookie{Name: other, Value: "1", Path: "/", Secure: true}
	w.post(b, base+"/saml/logout", url.Values{})
	p = w.post(b, base+"/saml/continue", url.Values{"s": form.Values()["s"], "answer": {"continue"}})
	require.Equal(t, http.StatusForbidden, p.Status)
	require.Contains(t, p.Text(), "This sign-in is over")
	require.Equal(t, "1", b.Jar.Value(host, other))
}

// SDP-SP34, SDP-SP29: the session ends before the LogoutRequest is sent, which has the NameID of the assertion, whole.
func TestSessionEndsBeforeTheIdPIsAsked(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	w.signIn(b, base+"/", alice)
	copied := b.Copy()
	p, err := b.Send(signOutFrom(base))
	require.NoError(t, err)
	require.Equal(t, http.StatusSeeOther, p.Status)
	require.Equal(t, http.StatusSeeOther, look(t, copied, base+"/").Status)
	to, err := url.Parse(p.Location())
	require.NoError(t, err)
	request, err := testkit.Inflated(to.Query().Get("SAMLRequest"))
	require.NoError(t, err)
	require.Regexp(t, `<saml:NameID [^>]*Format="`+mockidp.NameIDEmail+`"[^>]*>`+alice+`</saml:NameID>`, string(request))
	require.Contains(t, string(request), "<samlp:SessionIndex>")
}

// SDP-SP35: a session that ends by idleness leads to a sign-in, and to no LogoutRequest.
func TestIdleSessionSendsNoLogout(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	w.signIn(b, base+"/", alice)
	w.clock.Advance(time.Hour)
	p := look(t, b, base+"/")
	to, err := url.Parse(p.Location())
	require.NoError(t, err)
	request, err := testkit.Inflated(to.Query().Get("SAMLRequest"))
	require.NoError(t, err)
	require.Contains(t, string(request), "<samlp:AuthnRequest ")
}

// Another site's page, a script, a frame and a link can't sign the user out.
func TestSignOutIsOurs(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	w.signIn(b, base+"/", alice)
	cross, err := b.Go(signOutFrom("https://evil.example"))
	require.NoError(t, err)
	require.Equal(t, http.StatusForbidden, cross.Status)
	require.Equal(t, http.StatusMethodNotAllowed, w.open(b, base+"/saml/logout").Status)
	b.Header = http.Header{"Sec-Fetch-Mode": {"cors"}, "Sec-Fetch-Site": {"same-origin"}}
	script, err := b.Go(signOutFrom(base))
	require.NoError(t, err)
	require.Equal(t, http.StatusForbidden, script.Status)
	b.Header = nil
	require.Equal(t, "GET / as "+alice, w.open(b, base+"/").Body)
}

// The identity provider ends the sessions of its session, in each browser, and a sign-in that is not finished yet.
func TestSignOutAtIdP(t *testing.T) {
	w := newWorld(t)
	b, other := w.browser(), w.browser()
	w.signIn(b, base+"/", alice)
	w.signIn(other, base+"/", bob)
	late := b.Copy() // has a verified sign-in that waits
	var at string
	late.Stay = func(to *url.URL) bool { at = to.String(); return to.Path == "/saml/continue" }
	w.signIn(late, base+"/saml/login", alice)
	late.Stay = nil

	copied := b.Copy()
	w.signOutAtIdP(b)
	require.Equal(t, http.StatusSeeOther, look(t, copied, base+"/").Status)
	require.Equal(t, "GET / as "+bob, w.open(other, base+"/").Body) // the control
	p := w.open(late, at)
	require.Equal(t, http.StatusForbidden, p.Status)
	require.Contains(t, p.Text(), "Your identity provider has signed you out")
}

// A program whose identity provider has no single logout says that only the session here has ended.
func TestSignOutHereOnly(t *testing.T) {
	w := newWorld(t)
	require.NoError(t, w.idp.UpdateApp("", func(a *mockidp.App) error { a.LogoutURL = ""; return nil }))
	w.reload()
	b := w.browser()
	w.signIn(b, base+"/", alice)
	p := w.post(b, base+"/saml/logout", url.Values{})
	require.Contains(t, p.Text(), "You are signed out here")
	require.Empty(t, b.Jar.Value(host, cookieName))
	require.Contains(t, w.logs.String(), "single_logout=false")
}

// An identity provider whose only logout is by SOAP is asked by the Guard. Here it can't be reached (G34). The control
// is TestSignOutHereOnly.
func TestSignOutBySOAP(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	w.signIn(b, base+"/", alice)
	copied := b.Copy()
	idp := w.source.IdP()
	soap, err := saml.NewIdP(saml.IdPConfig{
		EntityID: idp.EntityID(), Certificates: idp.Certificates(), SSO: idp.SSOServices(),
		Logout: []saml.LogoutService{{Binding: saml.SOAP, URL: "http://127.0.0.1:1/slo"}},
	})
	require.NoError(t, err)
	w.source.Replace(soap)
	p := w.post(b, base+"/saml/logout", url.Values{})
	require.Contains(t, p.Text(), "You are signed out here")
	require.Contains(t, w.logs.String(), "SOAP (Bindings 3.2.3)")
	require.Equal(t, http.StatusSeeOther, look(t, copied, base+"/").Status)
}

// If the sessions can't be ended, the user keeps the cookie, and can try again.
func TestSignOutWithoutStore(t *testing.T) {
	store := &brokenStore{MemoryStore: sessions.NewMemoryStore(sessions.MemoryConfig{})}
	w := newWorld(t, func(c *middleware.Config) { c.Sessions = store })
	b := w.browser()
	w.signIn(b, base+"/", alice)
	store.err = errors.New("disk full")
	p := w.post(b, base+"/saml/logout", url.Values{})
	require.Equal(t, http.StatusServiceUnavailable, p.Status)
	require.NotEmpty(t, b.Jar.Value(host, cookieName))
	require.Equal(t, http.StatusServiceUnavailable, w.open(b, base+"/").Status) // it fails closed
	store.err = nil
	p = w.post(b, base+"/saml/logout", url.Values{})
	require.Equal(t, http.StatusOK, p.Status)
	require.Empty(t, b.Jar.Value(host, cookieName))
}

// A form that is posted without a session gets a page that says so, and a script a line of text.
func TestUnauthorized(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	p, err := b.Send(testkit.Navigation{From: base, Method: http.MethodPost, URL: base + "/orders", User: true})
	require.NoError(t, err)
	require.Equal(t, http.StatusUnauthorized, p.Status)
	require.Contains(t, p.Text(), "What you sent has not arrived.")
	require.Contains(t, p.Header.Get("Content-Security-Policy"), "frame-ancestors 'none'")
	to, ok := p.Link("Sign in")
	require.True(t, ok)
	require.Equal(t, base+"/saml/login", p.Resolve(to))
	res, err := b.Client().Post(base+"/orders", "text/plain", nil)
	require.NoError(t, err)
	require.Equal(t, http.StatusUnauthorized, res.StatusCode)
	require.Contains(t, res.Header.Get("Content-Type"), "text/plain")
}
