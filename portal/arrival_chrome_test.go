package portal_test

import (
	"html/template"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/require"
)

// postingPage is an identity provider's page in a browser's history: it posts the same response
// whenever it is opened.
var postingPage = template.Must(template.New("").Parse(`<!DOCTYPE html><title>posting</title>
<form method="post" action="{{.URL}}"><input name="SAMLResponse" value="{{.SAMLResponse}}">
<input name="RelayState" value="{{.RelayState}}"></form>
<script>onload = () => document.forms[0].submit()</script>`))

// H1 in a real browser, which keeps the session's cookie from the response and sends it with the
// next requests.
func TestReplayInARealBrowser(t *testing.T) {
	s, b := newSite(t, nil, nil), newTab(t)
	form, err := s.idp.IdPInitiated("", "alice@example.com", "/applications")
	require.NoError(t, err)
	var opened atomic.Int32
	again := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/" {
			opened.Add(1)
			_ = postingPage.Execute(w, form)
		}
	}))
	t.Cleanup(again.Close)
	_, port, err := net.SplitHostPort(again.Listener.Addr().String())
	require.NoError(t, err)
	virginia, page := s.portals["us-east-1"], "http://idp2.localhost:"+port+"/"

	b.do(chromedp.Navigate(page))
	b.at(virginia + "/applications")
	b.reads("Alice Adams", "Wiki")
	for range 2 {
		b.do(chromedp.Navigate(page))
		b.at(virginia + "/")
		b.reads("Alice Adams", "Production")
	}
	require.EqualValues(t, 3, opened.Load())
	b.open(virginia + "/sessions")
	b.until(`document.querySelectorAll("ul.rows > li").length === 1`)

	b.menu(`form[action="/sign-out"] button`)
	b.at(virginia + "/signed-out")
	b.do(chromedp.Navigate(page))
	b.until(`location.pathname === "/refused"`)
	b.reads("Sign-in did not work", "MRD-")
	b.click(`a[href="/login"]`)
	b.until(`document.activeElement.id === "username"`)
	b.do(chromedp.KeyEvent("alice@example.com" + kb.Tab + "open-sesame" + kb.Enter))
	b.at(virginia + "/")
}
