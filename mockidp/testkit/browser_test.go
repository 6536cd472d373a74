package testkit_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp/testkit"
)

func TestFetchMetadata(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ from, to, site string }{
		{"", "http://us-east-1.localhost:8711/", "none"},
		{"http://idp.localhost:8701", "http://us-east-1.localhost:8711/", "cross-site"},
		{"http://us-east-1.localhost:8711", "http://us-east-1.localhost:1/", "same-site"},
		{"http://us-east-1.localhost:1", "http://us-east-1.localhost:1/x", "same-origin"},
		{"http://us-east-1.localhost:1/page?x", "http://us-east-1.localhost:1/", "same-origin"},
		{"http://a.us-east-1.localhost", "http://us-east-1.localhost/", "same-site"},
		{"http://localhost:1", "http://us-east-1.localhost:1/", "cross-site"},
		{"https://us-east-1.localhost", "http://us-east-1.localhost/", "cross-site"},
		{"http://127.0.0.1:1", "http://127.0.0.1:2/", "same-site"},
		{"http://127.0.0.1:1", "http://127.1.0.1:1/", "cross-site"},
		{"null", "http://us-east-1.localhost/", "cross-site"},
		{"https://a.example", "https://b.example/", "cross-site"},
		{"https://a.portal.example", "https://b.portal.example/", "same-site"},
		{"https://a.example", "http://a.example/", ""}, // not over plain http
	} {
		w := &wire{}
		b := testkit.NewBrowser(t.Context())
		b.Transport = w
		_, err := b.Send(testkit.Navigation{From: c.from, URL: c.to})
		require.NoError(t, err)
		assert.Equal(t, c.site, w.last.Header.Get("Sec-Fetch-Site"), "%s to %s", c.from, c.to)
		assert.Equal(t, c.site != "", w.last.Header.Get("Sec-Fetch-Mode") == "navigate")
		assert.Empty(t, w.last.Header.Get("Sec-Fetch-User"))
	}
	w := &wire{}
	b := testkit.NewBrowser(t.Context())
	b.Transport, b.Site = w, func(host string) string { return host }
	_, err := b.Send(testkit.Navigation{From: "https://a.portal.example", URL: "https://b.portal.example/"})
	require.NoError(t, err)
	assert.Equal(t, "cross-site", w.last.Header.Get("Sec-Fetch-Site"), "as Site says")
}

// A redirect keeps the origin that started the navigation.
func TestRedirectsAndForms(t *testing.T) {
	t.Parallel()
	var seen []string
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		line := r.Method + r.URL.String()
		for _, name := range []string{"Sec-Fetch-Site", "Sec-Fetch-User", "Origin"} {
			line += " " + r.Header.Get(name)
		}
		seen = append(seen, strings.Join(strings.Fields(line), " "))
		switch r.URL.Path {
		case "/loop":
			http.Redirect(w, r, "/loop", http.StatusFound)
		case "/repeat":
			http.Redirect(w, r, "/", http.StatusTemporaryRedirect)
		case "/post":
			http.Redirect(w, r, "/", http.StatusSeeOther)
		default:
			fmt.Fprint(w, `<form method="post" action='/post'><input name="a" value="1&amp;2"></form>`,
				`<a href="/post?x">go <b>on</b></a>`)
		}
	}))
	defer srv.Close()
	b := testkit.NewBrowser(t.Context())
	p, err := b.Open(srv.URL + "/")
	require.NoError(t, err)
	f, ok := p.FormFor("/post")
	require.True(t, ok)
	assert.Equal(t, "1&2", f.Values().Get("a"))
	_, err = b.Submit(p, f, url.Values{"a": {"3"}})
	require.NoError(t, err)
	p.Header.Set("Referrer-Policy", "no-referrer")
	_, err = b.Submit(p, f, nil)
	require.NoError(t, err)
	_, err = b.Post("http://idp.localhost", srv.URL+"/post", f.Values())
	require.NoError(t, err)
	_, err = b.Click(p, "go on")
	require.NoError(t, err)
	assert.Equal(t, []string{"GET/ none ?1",
		"POST/post same-origin ?1 " + srv.URL, "GET/ same-origin ?1",
		"POST/post same-origin ?1 null", "GET/ same-origin ?1",
		"POST/post cross-site http://idp.localhost", "GET/ cross-site",
		"GET/post?x same-origin ?1", "GET/ same-origin ?1"}, seen)
	assert.Len(t, b.Trail, len(seen))
	assert.Equal(t, testkit.Visit{Method: "POST", URL: srv.URL + "/post", Status: 303}, b.Trail[1])

	p, err = b.Look(srv.URL + "/post")
	require.NoError(t, err)
	assert.Equal(t, srv.URL+"/", p.Location())
	b.Stay = func(to *url.URL) bool { return to.Path == "/" }
	p, err = b.Open(srv.URL + "/post")
	require.NoError(t, err)
	assert.Equal(t, http.StatusSeeOther, p.Status)
	b.Stay = nil

	for _, c := range []struct{ method, to, want string }{
		{"", srv.URL + "/loop", "more than 10 redirects"},
		{"POST", srv.URL + "/repeat", "want status 303 or 302, got 307"},
		{"", "http://far.example/", "want a loopback address"},
		{"", "http://far.example:x/", "invalid port"},
		{"", strings.Replace(srv.URL, "http:", "https:", 1), "tls: "},
	} {
		_, err = b.Go(testkit.Navigation{Method: c.method, URL: c.to})
		assert.ErrorContains(t, err, c.want)
		assert.False(t, testkit.ConnectionRefused(err))
	}
	_, err = b.Click(p, "elsewhere")
	assert.ErrorContains(t, err, `no link "elsewhere"`)
	_, err = b.Submit(p, testkit.Form{Action: "/", Method: "dialog"}, nil)
	assert.ErrorContains(t, err, `want method post`)
	srv.Close()
	_, err = b.Open(srv.URL)
	assert.True(t, testkit.ConnectionRefused(err), err)
}

// A page that refreshes itself is what starts the next request, as in Chromium: not the user, and not the other site
// whose link led to the page. So the page's own site gets its strict cookies, and a third site none.
func TestRefreshIsStartedByThePage(t *testing.T) {
	t.Parallel()
	var seen []string
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		site, user, cookie := r.Header.Get("Sec-Fetch-Site"), r.Header.Get("Sec-Fetch-User"), r.Header.Get("Cookie")
		host, _, _ := strings.Cut(r.Host, ".")
		seen = append(seen, strings.TrimSpace(host+r.URL.Path+" "+site+" "+user+" "+cookie))
		http.SetCookie(w, &http.Cookie{Name: "c", Value: host, Path: "/", SameSite: http.SameSiteStrictMode})
		to := r.URL.Query().Get("to")
		switch r.URL.Path {
		case "/redirect":
			http.Redirect(w, r, to, http.StatusSeeOther)
		case "/element":
			fmt.Fprintf(w, `<meta http-equiv="refresh" content="0; url=%s">`, to)
		case "/header":
			w.Header().Set("Refresh", "0; url="+to)
		default:
			fmt.Fprintf(w, `<a href="%s">on</a>`, to)
		}
	}))
	defer srv.Close()
	_, port, _ := strings.Cut(srv.Listener.Addr().String(), ":")
	a, other := "http://a.localhost:"+port, "http://b.localhost:"+port
	for _, first := range []string{"/element", "/redirect?to=/element", "/header"} {
		for _, host := range []string{a, other} {
			seen = nil
			b := testkit.NewBrowser(t.Context())
			p, err := b.Open(other + "/?to=" + url.QueryEscape(a+first+"?to="+url.QueryEscape(host+"/end")))
			require.NoError(t, err)
			p, err = b.Click(p, "on")
			require.NoError(t, err)
			_, err = b.Continue(p)
			require.NoError(t, err)
			want := "a/end same-origin  c=a"
			if host == other {
				want = "b/end cross-site"
			}
			assert.Equal(t, want, seen[len(seen)-1], "%s: %q", first, seen)
			assert.Contains(t, seen[1], " cross-site ?1", "the link of another site")
		}
	}
}

func TestOwnHeaders(t *testing.T) {
	t.Parallel()
	w := &wire{}
	b := testkit.NewBrowser(t.Context())
	b.Transport, b.Header = w, http.Header{"Sec-Fetch-Site": nil, "X-Real-Ip": {"192.0.2.1"}, "Sec-Fetch-Dest": {"iframe"}}
	_, err := b.Open("https://a.example/")
	require.NoError(t, err)
	assert.NotContains(t, w.last.Header, "Sec-Fetch-Site", "an old browser doesn't send it")
	assert.Equal(t, "192.0.2.1", w.last.Header.Get("X-Real-Ip"))
	assert.Equal(t, []string{"iframe"}, w.last.Header.Values("Sec-Fetch-Dest"))
	assert.Equal(t, b.Header, b.Copy().Header)
	assert.Empty(t, b.Copy().Trail)
}

func TestPages(t *testing.T) {
	t.Parallel()
	p := &testkit.Page{URL: at(t, "https://a.example/x/y"), Status: 200, Header: http.Header{"Refresh": {"0; url=../z"}},
		Body: `<head><title>no</title></head><p>1 &lt; 2 </p><a aria-label="Home" href="h">x</a><script>no</script>` +
			`<FORM METHOD="POST" action="b"><INPUT TYPE="hidden" Name='n' value='"v"'/></FORM>`}
	assert.Equal(t, "1 < 2 x", p.Text())
	assert.Equal(t, "https://a.example", p.Origin())
	assert.Equal(t, "https://a.example/z", p.Refresh())
	assert.Empty(t, p.Location())
	href, ok := p.Link("Home")
	require.True(t, ok)
	assert.Equal(t, "https://a.example/x/h", p.Resolve(href))
	f, ok := p.FormWith("n")
	require.True(t, ok)
	assert.Equal(t, []testkit.Field{{Name: "n", Value: `"v"`, Type: "hidden"}}, f.Fields)
	p.Body = `<form><textarea name="t">
a &lt; b</textarea><select name="s"><option>one<option value="2" selected>two</select><select name="d"><option>first</select>` +
		`<input type="checkbox" name="c" value="1"><input name="k" type="checkbox" value="2" checked></form>`
	assert.Equal(t, url.Values{"t": {"a < b"}, "s": {"2"}, "d": {"first"}, "k": {"2"}}, p.Forms()[0].Values())
	_, ok = p.FormWith("m")
	assert.False(t, ok)
	_, ok = p.FormFor("m")
	assert.False(t, ok)
	assert.Equal(t, ":", p.Resolve(":"))
	assert.Empty(t, (&testkit.Page{}).Refresh())
}
