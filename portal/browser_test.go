package portal_test

import (
	"maps"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp/testkit"
)

// browser is a testkit browser that fails its test. Its hosts are handlers, without a network. It follows redirects
// only to them, so it stops at the identity provider.
type browser struct {
	*testkit.Browser
	t *testing.T
}

// answer is a response and its URL.
type answer struct {
	*http.Response
	url  *url.URL
	body string
	page *testkit.Page
}

func newBrowser(t *testing.T, hosts map[string]http.Handler) *browser {
	b := &browser{testkit.NewBrowser(t.Context()), t}
	b.Transport = testkit.Handlers(hosts)
	b.Stay = func(to *url.URL) bool { return hosts[to.Host] == nil }
	return b
}

// get requests an address as if it were typed or bookmarked.
func (b *browser) get(addr string) answer { return b.follow(b.send("GET", addr, "none", nil)) }

// click follows a link on a page of the same site.
func (b *browser) click(addr string) answer { return b.follow(b.send("GET", addr, "same-origin", nil)) }

// submit posts a form of the portal's own page, and post one of another site's.
func (b *browser) submit(addr string, form url.Values) answer {
	return b.follow(b.send("POST", addr, "same-origin", form))
}

func (b *browser) post(addr string, form url.Values) answer {
	return b.follow(b.send("POST", addr, "cross-site", form))
}

func (b *browser) follow(a answer) answer {
	b.t.Helper()
	return b.answer(b.Follow(a.page))
}

// refresh follows a page's Refresh header, as browsers do.
func (b *browser) refresh(a answer) answer {
	b.t.Helper()
	return b.click(refreshed(b.t, a))
}

// refreshed returns the address in a page's Refresh header.
func refreshed(t *testing.T, a answer) string {
	t.Helper()
	require.NotEmpty(t, a.page.Refresh(), "no Refresh: %d %s", a.StatusCode, a.body)
	return a.page.Refresh()
}

// copy returns another browser with the same cookies.
func (b *browser) copy() *browser { return &browser{b.Copy(), b.t} }

// send makes one request and follows no redirect. site is the value of Sec-Fetch-Site.
func (b *browser) send(method, addr, site string, form url.Values) answer {
	b.t.Helper()
	from := map[string]string{"same-origin": addr, "same-site": "https://other.portal.example",
		"cross-site": "https://idp.example"}[site]
	c := *b.Browser
	if site == "" {
		c.Header = http.Header{"Sec-Fetch-Site": nil}
		maps.Copy(c.Header, b.Header)
	}
	return b.answer(c.Send(testkit.Navigation{Method: method, URL: addr, From: from, Form: form}))
}

// answer checks the attributes of every cookie.
func (b *browser) answer(p *testkit.Page, err error) answer {
	b.t.Helper()
	require.NoError(b.t, err)
	res := &http.Response{StatusCode: p.Status, Header: p.Header, Request: &http.Request{URL: p.URL}}
	for _, c := range res.Cookies() {
		host := len(c.Name) > 7 && c.Name[:7] == "__Host-" && c.Secure && c.Path == "/" && c.Domain == ""
		require.True(b.t, host && c.HttpOnly && c.SameSite != 0, "cookie %s lacks a required attribute: %s", c.Name, c)
	}
	return answer{res, p.URL, p.Body, p}
}

// put stores cookies, as a response of the host does.
func (b *browser) put(host string, cookies ...*http.Cookie) {
	b.Jar.Keep(&url.URL{Scheme: "https", Host: host}, cookies, time.Now())
}

func (b *browser) cookie(host, name string) string { return b.Jar.Value(host, name) }
