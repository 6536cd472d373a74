package browser_test

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/audits"
	"github.com/chromedp/cdproto/network"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/portal"
	"github.com/meridian-saml/meridian/saml"
)

// requestCookie begins the name of a request cookie of package acs.
const requestCookie = "__Host-meridian-request-"

// browserName is the portal's cookie that names a browser while it signs in.
const browserName = "__Host-meridian-browser"

// The cookies that Chromium stored, independent of the header.
func testCookies(t *testing.T, chromium context.Context) {
	w := newWorld(t, nil)
	b := newTab(t, chromium)
	home := w.portals[frankfurt] + "/"
	b.open(home)
	b.reads("Sign in", "Username")
	waiting := b.cookies(home)
	require.Contains(t, waiting, browserName)
	checkCookie(t, waiting[browserName], "eu-central-1.localhost", network.CookieSameSiteLax)
	delete(waiting, browserName)
	require.Len(t, waiting, 1, "one request, one cookie")
	for name, c := range waiting {
		assert.True(t, strings.HasPrefix(name, requestCookie), name)
		checkCookie(t, c, "eu-central-1.localhost", network.CookieSameSiteNone)
	}

	b.signInAtIdP(w, alice)
	b.arrived(w, frankfurt, "Alice Adams", acs.FlowSP)
	after := b.cookies(home)
	require.Contains(t, after, browserName, "it tells tabs that are late of the session")
	delete(after, browserName)
	require.Len(t, after, 1, "the request's cookie and the one of the sign-in under way are gone: %v", after)
	require.Contains(t, after, portal.SessionCookie)
	checkCookie(t, after[portal.SessionCookie], "eu-central-1.localhost", network.CookieSameSiteLax)
	assert.True(t, after[portal.SessionCookie].Session, "it goes with the browser")
	assert.Empty(t, b.cookies(w.portals[virginia]), "no cookie for another Region's host")
	assert.Empty(t, b.cookies("http://localhost"), "no cookie for the parent of both")
}

func checkCookie(t *testing.T, c *network.Cookie, host string, want network.CookieSameSite) {
	t.Helper()
	assert.True(t, strings.HasPrefix(c.Name, "__Host-"), c.Name)
	assert.True(t, c.Secure, "Secure of %s", c.Name)
	assert.True(t, c.HTTPOnly, "HttpOnly of %s", c.Name)
	assert.Equal(t, want, c.SameSite, "SameSite of %s", c.Name)
	assert.Equal(t, "/", c.Path, "Path of %s", c.Name)
	assert.Equal(t, host, c.Domain, "Domain of %s: with one, it would begin with a dot", c.Name)
}

// With a request cookie that is Lax the answer finds no request, because the
// identity provider's form comes from another site. So the sign-ins of the
// other tests would all fail if the cookie were Lax.
func testLaxRequestCookie(t *testing.T, chromium context.Context) {
	signIn := func(t *testing.T, wrap map[string]wrapper) (*world, *tab) {
		w := newWorld(t, wrap)
		b := openTab(t, chromium)
		b.expectRefusals()
		b.open(w.portals[frankfurt])
		b.signInAtIdP(w, alice)
		b.at(w.portals[frankfurt] + "/*")
		return w, b
	}

	t.Run("as it is", func(t *testing.T) {
		w, b := signIn(t, map[string]wrapper{frankfurt: rewriteCookies("SameSite=None", "SameSite=None")})
		b.arrived(w, frankfurt, "Alice Adams", acs.FlowSP)
		assert.Empty(t, b.complained())
	})
	t.Run("made Lax", func(t *testing.T) {
		w, b := signIn(t, map[string]wrapper{frankfurt: rewriteCookies("SameSite=None", "SameSite=Lax")})
		b.at(w.portals[frankfurt] + "/refused*") // by way of the ACS URL
		b.reads("Sign in again")
		v, n := w.verdict()
		assert.Equal(t, 1, n)
		assert.False(t, v.Accepted)
		assert.Equal(t, string(saml.ReasonInResponseTo), v.Reason, "%+v", v)
		assert.Equal(t, frankfurt, v.Region)
		b.reads(v.Reference)
		b.complains(requestCookie)
		b.complains(string(audits.CookieExclusionReasonExcludeSameSiteLax))
		assert.NotContains(t, b.cookies(w.portals[frankfurt]), portal.SessionCookie)
	})
}

// rewriteCookies changes the request cookies that a handler sets.
func rewriteCookies(old, new string) wrapper {
	return func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			h.ServeHTTP(&cookieRewriter{ResponseWriter: w, old: old, new: new}, r)
		})
	}
}

type cookieRewriter struct {
	http.ResponseWriter
	old, new string
}

func (c *cookieRewriter) WriteHeader(status int) {
	for i, line := range c.Header()["Set-Cookie"] {
		if strings.HasPrefix(line, requestCookie) {
			c.Header()["Set-Cookie"][i] = strings.Replace(line, c.old, c.new, 1)
		}
	}
	c.ResponseWriter.WriteHeader(status)
}
