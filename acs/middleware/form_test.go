package middleware_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs/middleware"
	"github.com/meridian-saml/meridian/mockidp/testkit"
)

// formWorld has a program that shows a posted form, and a browser whose session has gone idle.
func formWorld(t *testing.T) (*world, *testkit.Browser) {
	w := newWorld(t, func(c *middleware.Config) { c.KeepForms = true })
	mux := http.NewServeMux()
	mux.Handle("/", w.handler)
	mux.Handle("/orders", w.guard.Require(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm()
		fmt.Fprintf(rw, "%s %v by %s", r.Method, r.PostForm, middleware.From(r.Context()).UserName)
	})))
	w.handler = mux
	b := w.browser()
	w.signIn(b, base+"/", alice)
	w.clock.Advance(time.Hour)
	return w, b
}

func order(from string) testkit.Navigation {
	form := url.Values{"item": {"a<b", "c\r\nd"}, "n": {"7"}}
	return testkit.Navigation{From: from, Method: http.MethodPost, URL: base + "/orders?page=2", Form: form, User: true}
}

// finish signs in after the order was posted, and returns the page after that.
func (w *world) finish(b *testkit.Browser, n testkit.Navigation, login string) *testkit.Page {
	w.t.Helper()
	p, err := b.Send(n)
	require.NoError(w.t, err)
	require.Equal(w.t, http.StatusSeeOther, p.Status)
	return w.signIn(b, p.Location(), login)
}

// A form that is posted after the session has ended is kept, and sent once after the sign-in (J14).
func TestFormIsKept(t *testing.T) {
	w, b := formWorld(t)
	p := w.finish(b, order(base), alice)
	require.Contains(t, p.Text(), "Send your form again?")
	form, ok := p.FormFor("/orders?page=2")
	require.True(t, ok)
	sent, err := b.Submit(p, form, nil)
	require.NoError(t, err)
	require.Equal(t, "POST map[item:[a<b c\r\nd] n:[7]] by "+alice, sent.Body)

	w.clock.Advance(time.Hour) // it isn't offered twice
	p = w.signIn(b, base+"/", alice)
	require.Equal(t, "GET / as "+alice, p.Body)
}

// A form is sent again to the path that the browser sent it to, also where the program changes the URL in between.
func TestFormWithStripPrefix(t *testing.T) {
	w, earlier := formWorld(t)
	w.handler = behindPrefix(w, w.guard.Require(http.HandlerFunc(show)))
	b := w.browser() // which reaches it
	b.Jar = earlier.Jar.Copy()
	n := order(base)
	n.URL = base + "/app/orders?page=2"
	_, ok := w.finish(b, n, alice).FormFor("/app/orders?page=2")
	require.True(t, ok)
}

// Another user's sign-in drops the form (J14).
func TestFormOfAnotherUser(t *testing.T) {
	w, b := formWorld(t)
	w.forget(b)
	p := w.finish(b, order(base), bob)
	require.Equal(t, "GET / as "+bob, p.Body)
	w.clock.Advance(time.Hour)
	w.forget(b)
	require.Equal(t, "GET / as "+alice, w.signIn(b, base+"/", alice).Body)
}

// A form is dropped after 15 minutes.
func TestFormExpires(t *testing.T) {
	w, b := formWorld(t)
	n, err := b.Send(order(base))
	require.NoError(t, err)
	w.clock.Advance(15 * time.Minute)
	require.Equal(t, "GET / as "+alice, w.signIn(b, base+"/", alice).Body)
	require.Equal(t, http.StatusSeeOther, n.Status)
}

// A form of another site or of unknown origin, without an ended session, of a script, or too large is not kept, and the
// request gets 401 (K01).
func TestFormIsNotKept(t *testing.T) {
	large := order(base)
	large.Form = url.Values{"a": {strings.Repeat("x", 32<<10)}}
	multipart := order(base)
	multipart.Enctype = "multipart/form-data"
	long := order(base)
	long.URL = base + "/orders?" + strings.Repeat("a", 2048)
	for name, c := range map[string]struct {
		n      testkit.Navigation
		header http.Header
		cookie string
	}{
		"the control":      {n: order(base)},
		"only Origin":      {n: order(base), header: http.Header{"Sec-Fetch-Site": nil, "Origin": {base}}},
		"another site":     {n: order("https://evil.example")},
		"another Origin":   {n: order(base), header: http.Header{"Sec-Fetch-Site": nil, "Origin": {"https://evil.example"}}},
		"another scheme":   {n: order(base), header: http.Header{"Sec-Fetch-Site": nil, "Origin": {"http://" + host}}},
		"nothing said":     {n: order(base), header: http.Header{"Sec-Fetch-Site": nil, "Origin": nil}},
		"same site":        {n: order(base), header: http.Header{"Sec-Fetch-Site": {"same-site"}}},
		"a script":         {n: order(base), header: http.Header{"Sec-Fetch-Mode": {"cors"}}},
		"a frame":          {n: order(base), header: http.Header{"Sec-Fetch-Dest": {"iframe"}}},
		"no session":       {n: order(base), cookie: "none"},
		"no session of us": {n: order(base), cookie: strings.Repeat("A", 43)},
		"too large":        {n: large},
		"another encoding": {n: multipart},
		"too long a path":  {n: long},
	} {
		_, b := formWorld(t)
		b.Header = c.header
		if c.cookie == "none" {
			delete(b.Jar[host], cookieName)
		} else if c.cookie != "" {
			b.Jar[host][cookieName].Value = c.cookie
		}
		p, err := b.Send(c.n)
		require.NoError(t, err)
		if name == "the control" || name == "only Origin" {
			require.Equal(t, http.StatusSeeOther, p.Status, name)
			continue
		}
		require.Equal(t, http.StatusUnauthorized, p.Status, name)
		require.Empty(t, p.Header.Values("Set-Cookie"), name)
	}
}

// A session that is alive needs no kept form, and one that was signed out of keeps none.
func TestFormAfterSignOut(t *testing.T) {
	w, b := formWorld(t)
	w.signIn(b, base+"/", alice)
	p, err := b.Go(order(base))
	require.NoError(t, err)
	require.Contains(t, p.Body, "by "+alice)
	old := b.Copy()
	w.post(b, base+"/saml/logout", url.Values{})
	p, err = old.Send(order(base))
	require.NoError(t, err)
	require.Equal(t, http.StatusUnauthorized, p.Status)
}

// Without KeepForms no form is kept.
func TestFormsAreNotKeptByDefault(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	w.signIn(b, base+"/", alice)
	w.clock.Advance(time.Hour)
	p, err := b.Send(order(base))
	require.NoError(t, err)
	require.Equal(t, http.StatusUnauthorized, p.Status)
}
