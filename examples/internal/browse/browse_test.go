package browse

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The rules of RFC 6265bis that the walk leans on.
func TestCookieRules(t *testing.T) {
	at := func(s string) *url.URL {
		u, err := url.Parse(s)
		require.NoError(t, err)
		return u
	}
	sent := func(j jar, method, to string, same bool) string {
		r := httptest.NewRequest(method, to, nil)
		j.send(r, same)
		return r.Header.Get("Cookie")
	}
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
		{"__Host-", "http://a.localhost:1/", "__Host-c=1; Secure; Path=/", true, true, false},
		{"a Domain", "http://a.localhost:1/", "c=1; Path=/; Domain=localhost", false, false, false},
		{"expired", "http://a.localhost:1/", "c=1; Path=/; Max-Age=0", false, false, false},
		{"another path", "http://a.localhost:1/", "c=1; Path=/elsewhere", false, false, false},
		{"another host", "http://b.localhost:1/", "c=1; Path=/", false, false, false},
		{"another port", "http://a.localhost:2/", "c=1; Path=/", true, true, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			j := jar{}
			j.keep(at(c.from), (&http.Response{Header: http.Header{"Set-Cookie": {c.set}}}).Cookies(), time.Now())
			const to = "http://a.localhost:1/page"
			assert.Equal(t, c.typed, sent(j, "POST", to, true) != "", "same site")
			assert.Equal(t, c.crossGET, sent(j, "GET", to, false) != "", "GET from another site")
			assert.Equal(t, c.crossPOST, sent(j, "POST", to, false) != "", "POST from another site")
		})
	}
	far := jar{}
	far.keep(at("http://far.example/"), (&http.Response{Header: http.Header{"Set-Cookie": {"c=1; Secure; Path=/"}}}).Cookies(), time.Now())
	assert.Empty(t, far, "Secure over http, not on this machine")
}

func TestSites(t *testing.T) {
	for _, c := range []struct {
		from, to string
		same     bool
	}{
		{"http://idp.localhost:8701", "http://us-east-1.localhost:8711/", false},
		{"http://us-east-1.localhost:8711", "http://us-east-1.localhost:1/", true},
		{"http://a.us-east-1.localhost", "http://us-east-1.localhost/", true},
		{"http://localhost:1", "http://us-east-1.localhost:1/", false},
		{"https://us-east-1.localhost", "http://us-east-1.localhost/", false},
		{"http://127.0.0.1:1", "http://127.0.0.1:2/", true},
		{"null", "http://us-east-1.localhost/", false},
	} {
		to, err := url.Parse(c.to)
		require.NoError(t, err)
		assert.Equal(t, c.same, sameSite(c.from, to), "%s to %s", c.from, c.to)
	}
}

// The browser says where a request comes from, goes through redirects, gives
// up on endless ones, and never leaves this machine.
func TestBrowser(t *testing.T) {
	var seen []string
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen = append(seen, strings.TrimSpace(r.Method+" "+r.Header.Get("Sec-Fetch-Site")+" "+r.Header.Get("Origin")))
		switch r.URL.Path {
		case "/loop":
			http.Redirect(w, r, "/loop", http.StatusFound)
		case "/post":
			http.Redirect(w, r, "/", http.StatusSeeOther)
		default:
			_, _ = w.Write([]byte(`<form method="post" action="/post"><input name="a" value="1&amp;2"></form>`))
		}
	}))
	defer srv.Close()
	b := New(context.Background())
	p, err := b.Open(srv.URL + "/")
	require.NoError(t, err)
	f, ok := p.FormWith("a")
	require.True(t, ok)
	assert.Equal(t, "1&2", f.Values().Get("a"))
	_, err = b.Submit(p, f, nil)
	require.NoError(t, err)
	p.Header.Set("Referrer-Policy", "no-referrer")
	_, err = b.Submit(p, f, nil)
	require.NoError(t, err)
	assert.Equal(t, []string{"GET none", "POST same-origin " + srv.URL, "GET same-origin", "POST same-origin null", "GET same-origin"}, seen)

	_, err = b.Open(srv.URL + "/loop")
	assert.ErrorContains(t, err, "at most 10 redirects")
	_, err = b.Open("http://far.example/")
	assert.ErrorContains(t, err, "not this machine")
	assert.False(t, RefusedConnection(nil))
}
