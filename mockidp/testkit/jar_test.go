package testkit_test

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp/testkit"
)

// wire is a Transport that records the last request.
type wire struct {
	last *http.Request
}

func (w *wire) RoundTrip(r *http.Request) (*http.Response, error) {
	w.last = r
	return &http.Response{StatusCode: 200, Body: io.NopCloser(strings.NewReader("")), Request: r}, nil
}

// sent returns the Cookie header of a navigation.
func sent(t *testing.T, jar testkit.Jar, n testkit.Navigation) string {
	t.Helper()
	w := &wire{}
	b := testkit.NewBrowser(t.Context())
	b.Transport, b.Jar = w, jar
	_, err := b.Send(n)
	require.NoError(t, err)
	return w.last.Header.Get("Cookie")
}

func at(t *testing.T, s string) *url.URL {
	t.Helper()
	u, err := url.Parse(s)
	require.NoError(t, err)
	return u
}

func set(lines ...string) []*http.Cookie {
	return (&http.Response{Header: http.Header{"Set-Cookie": lines}}).Cookies()
}

// The rules of RFC 6265bis that a sign-in depends on.
func TestCookieRules(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, from, set            string
		typed, crossGET, crossPOST bool // whether it is sent with these
	}{
		{"None", "http://a.localhost:1/", "c=1; Secure; SameSite=None; Path=/", true, true, true},
		{"Lax", "http://a.localhost:1/", "c=1; Secure; SameSite=Lax; Path=/", true, true, false},
		{"no SameSite is Lax", "http://a.localhost:1/", "c=1; Path=/", true, true, false},
		{"Strict", "http://a.localhost:1/", "c=1; Secure; SameSite=Strict; Path=/", true, false, false},
		{"None without Secure", "http://a.localhost:1/", "c=1; SameSite=None; Path=/", false, false, false},
		{"__Host- without Secure", "http://a.localhost:1/", "__Host-c=1; Path=/", false, false, false},
		{"__Host- with another path", "http://a.localhost:1/", "__Host-c=1; Secure; Path=/x", false, false, false},
		{"__Host- with a Domain", "http://a.localhost:1/", "__Host-c=1; Secure; Path=/; Domain=a.localhost",
			false, false, false},
		{"__Host-", "http://a.localhost:1/", "__Host-c=1; Secure; Path=/", true, true, false},
		{"__Secure- without Secure", "http://a.localhost:1/", "__Secure-c=1; Path=/", false, false, false},
		{"a Domain above", "http://a.localhost:1/", "c=1; Path=/; Domain=localhost", false, false, false},
		{"the host as Domain", "http://a.localhost:1/", "c=1; Path=/; Domain=a.localhost", true, true, false},
		{"Max-Age=0", "http://a.localhost:1/", "c=1; Path=/; Max-Age=0", false, false, false},
		{"expired", "http://a.localhost:1/", "c=1; Path=/; Expires=Mon, 01 Jan 2024 00:00:00 GMT", false, false, false},
		{"for an hour", "http://a.localhost:1/", "c=1; Path=/; Max-Age=3600", true, true, false},
		{"another path", "http://a.localhost:1/", "c=1; Path=/elsewhere", false, false, false},
		{"a path below", "http://a.localhost:1/", "c=1; Path=/page/", false, false, false},
		{"the path itself", "http://a.localhost:1/", "c=1; Path=/page", true, true, false},
		{"the folder of the page", "http://a.localhost:1/x/y", "c=1", false, false, false},
		{"another host", "http://b.localhost:1/", "c=1; Path=/", false, false, false},
		{"another port", "http://a.localhost:2/", "c=1; Path=/", true, true, false},
	} {
		jar := testkit.Jar{}
		jar.Keep(at(t, c.from), set(c.set), time.Now())
		const to = "http://a.localhost:1/page"
		isSent := func(from, method string) bool {
			return sent(t, jar, testkit.Navigation{URL: to, From: from, Method: method}) != ""
		}
		assert.Equal(t, c.typed, isSent("", "POST"), "%s: typed", c.name)
		assert.Equal(t, c.crossGET, isSent("https://evil.example", ""), "%s: GET from another site", c.name)
		assert.Equal(t, c.crossPOST, isSent("https://evil.example", "POST"), "%s: POST from another site", c.name)
	}
	far := testkit.Jar{}
	far.Keep(at(t, "http://far.example/"), set("c=1; Secure; Path=/"), time.Now())
	assert.Empty(t, far, "Secure over http, not loopback")
	far.Keep(at(t, "https://far.example/"), set("c=1; Secure; Path=/"), time.Now())
	assert.Equal(t, "1", far.Value("far.example", "c"))
	assert.Empty(t, sent(t, far, testkit.Navigation{URL: "http://far.example/"}), "Secure over http, not loopback")
	assert.Equal(t, "c=1", sent(t, far, testkit.Navigation{URL: "https://far.example"}))
}

func TestRemoveCookie(t *testing.T) {
	t.Parallel()
	here := at(t, "https://a.example/")
	jar := testkit.Jar{}
	jar.Keep(here, set("c=1; Path=/", "d=2; Path=/"), time.Now())
	before := jar.Copy()
	jar.Keep(here, set("c=; Path=/; Max-Age=0", "d=; Path=/; Expires=Mon, 01 Jan 2024 00:00:00 GMT"), time.Now())
	assert.Empty(t, jar["a.example"])
	assert.Equal(t, "1", before.Value("a.example", "c"), "a copy keeps its cookies")
	assert.Empty(t, before.Value("b.example", "c"))
}
