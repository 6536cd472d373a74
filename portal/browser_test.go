package portal_test

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// A browser is as much of one as these tests need, and stricter than
// net/http's client: it keeps cookies by host, holds the __Host- prefix to its
// rule, and sends by SameSite and by who asked. Hosts are handlers; nothing
// goes over a network.
type browser struct {
	t     *testing.T
	hosts map[string]http.Handler
	jar   map[string]map[string]*http.Cookie // host to name to cookie
	// headers are sent with every request, in place of those of a navigation.
	headers http.Header
}

// An answer is a response and where it came from.
type answer struct {
	*http.Response
	url  *url.URL
	body string
}

func newBrowser(t *testing.T, hosts map[string]http.Handler) *browser {
	return &browser{t: t, hosts: hosts, jar: map[string]map[string]*http.Cookie{}}
}

// get is what typing an address or following a bookmark does.
func (b *browser) get(addr string) answer { return b.follow(b.send("GET", addr, "none", nil)) }

// click is a link on a page of the same site.
func (b *browser) click(addr string) answer { return b.follow(b.send("GET", addr, "same-origin", nil)) }

// submit is a form on the portal's own page, post one on another site's.
func (b *browser) submit(addr string, form url.Values) answer {
	return b.follow(b.send("POST", addr, "same-origin", form))
}

func (b *browser) post(addr string, form url.Values) answer {
	return b.follow(b.send("POST", addr, "cross-site", form))
}

// follow goes after redirects within the hosts it knows, and stops at the
// identity provider.
func (b *browser) follow(a answer) answer {
	for range 10 {
		loc, err := a.Location()
		if err != nil || b.hosts[loc.Host] == nil {
			return a
		}
		site := "same-origin"
		if a.Request.Header.Get("Sec-Fetch-Site") == "cross-site" {
			site = "cross-site" // once a chain was cross-site it stays that
		}
		a = b.send("GET", loc.String(), site, nil)
	}
	b.t.Fatalf("redirected more than ten times, last to %s", a.url)
	return a
}

// refresh follows the Refresh header of a page, as browsers do.
func (b *browser) refresh(a answer) answer {
	b.t.Helper()
	return b.click(refreshed(b.t, a))
}

// refreshed is the address in a page's Refresh header.
func refreshed(t *testing.T, a answer) string {
	t.Helper()
	_, to, ok := strings.Cut(a.Header.Get("Refresh"), "; url=")
	require.True(t, ok, "no Refresh: %d %s", a.StatusCode, a.body)
	next, err := a.url.Parse(to)
	require.NoError(t, err)
	return next.String()
}

// copy is another browser that has the same cookies by now.
func (b *browser) copy() *browser {
	out := newBrowser(b.t, b.hosts)
	for host, cookies := range b.jar {
		out.jar[host] = maps.Clone(cookies)
	}
	return out
}

// send makes one request, and follows nothing.
func (b *browser) send(method, addr, site string, form url.Values) answer {
	b.t.Helper()
	u, err := url.Parse(addr)
	require.NoError(b.t, err)
	r := httptest.NewRequest(method, addr, strings.NewReader(form.Encode()))
	r.Header.Set("Sec-Fetch-Site", site)
	r.Header.Set("Sec-Fetch-Mode", "navigate")
	r.Header.Set("Sec-Fetch-Dest", "document")
	for name, values := range b.headers {
		r.Header[name] = values
	}
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for _, c := range b.jar[u.Host] {
		crossPost := site == "cross-site" && method != "GET"
		if c.SameSite == http.SameSiteNoneMode || c.SameSite == http.SameSiteLaxMode && !crossPost {
			r.AddCookie(&http.Cookie{Name: c.Name, Value: c.Value})
		}
	}
	w := httptest.NewRecorder()
	require.Contains(b.t, b.hosts, u.Host)
	b.hosts[u.Host].ServeHTTP(w, r)
	res := w.Result()
	res.Request = r
	b.store(u, res.Cookies())
	return answer{res, u, w.Body.String()}
}

func (b *browser) store(u *url.URL, cookies []*http.Cookie) {
	for _, c := range cookies {
		if !strings.HasPrefix(c.Name, "__Host-") || !c.Secure || c.Path != "/" || c.Domain != "" || !c.HttpOnly || c.SameSite == 0 {
			b.t.Fatalf("cookie %s breaks its promise: %s", c.Name, c)
		}
		if b.jar[u.Host] == nil {
			b.jar[u.Host] = map[string]*http.Cookie{}
		}
		if c.MaxAge < 0 {
			delete(b.jar[u.Host], c.Name)
			continue
		}
		b.jar[u.Host][c.Name] = c
	}
}

func (b *browser) cookie(host, name string) string {
	if c := b.jar[host][name]; c != nil {
		return c.Value
	}
	return ""
}
