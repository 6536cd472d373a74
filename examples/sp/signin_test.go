package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp"
	"github.com/meridian-saml/meridian/mockidp/testkit"
)

// sessionCookie is the middleware's.
const sessionCookie = "__Host-meridian-session"

// visitor is testkit's browser, without redirects.
type visitor struct {
	*testkit.Browser
	t *testing.T
}

func newVisitor(t *testing.T) *visitor { return &visitor{testkit.NewBrowser(t.Context()), t} }

// get opens an address that the user typed.
func (v *visitor) get(to string) *testkit.Page {
	v.t.Helper()
	return v.send(testkit.Navigation{URL: to, User: true})
}

// post sends a form from another page.
func (v *visitor) post(from, to string, form url.Values) *testkit.Page {
	v.t.Helper()
	return v.send(testkit.Navigation{Method: "POST", From: from, URL: to, Form: form})
}

func (v *visitor) send(n testkit.Navigation) *testkit.Page {
	v.t.Helper()
	p, err := v.Send(n)
	require.NoError(v.t, err)
	for _, c := range (&http.Response{Header: p.Header}).Cookies() {
		assert.True(v.t, c.Secure && c.HttpOnly && c.Path == "/" && c.Domain == "", c.String())
	}
	return p
}

func (v *visitor) value(name string) string { return v.Jar.Value("127.0.0.1", name) }

// thief returns another browser, with one of the cookies.
func (v *visitor) thief(name string) *visitor {
	out := newVisitor(v.t)
	out.Jar["127.0.0.1"] = map[string]*http.Cookie{name: v.Jar["127.0.0.1"][name]}
	return out
}

// serve starts an identity provider and the program's handler.
func serve(t *testing.T) (idp *mockidp.Server, base string) {
	t.Helper()
	idp = mockidp.New(mockidp.Config{})
	t.Cleanup(idp.Close)
	srv := httptest.NewUnstartedServer(nil)
	base = "http://" + srv.Listener.Addr().String()
	o, err := parse([]string{"-idp-metadata", "unused", "-base-url", base + "/"}, io.Discard)
	require.NoError(t, err)
	handler, sp, err := newHandler(o, idp.Metadata(""))
	require.NoError(t, err)
	metadata, err := sp.Metadata()
	require.NoError(t, err)
	require.NoError(t, idp.RegisterSP("", metadata))
	srv.Config.Handler = handler
	srv.Start()
	t.Cleanup(srv.Close)
	assert.Equal(t, base+"/saml", sp.EntityID())
	assert.Equal(t, base+"/saml/acs", sp.ACS()[0].URL)
	return idp, base
}

// Behind a proxy, the limits of a client are those of the address in the header.
func TestClientHeader(t *testing.T) {
	idp := mockidp.New(mockidp.Config{})
	defer idp.Close()
	o, err := parse([]string{"-idp-metadata", "unused", "-client-header", "X-Real-IP"}, io.Discard)
	require.NoError(t, err)
	handler, _, err := newHandler(o, idp.Metadata(""))
	require.NoError(t, err)
	start := func(client string) int {
		r := httptest.NewRequest(http.MethodGet, "http://sp.localhost:8720/login", nil)
		r.Header.Set("X-Real-IP", client)
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		return w.Code
	}
	status := http.StatusSeeOther
	for i := 0; status == http.StatusSeeOther && i < 20_000; i++ {
		status = start("192.0.2.1")
	}
	assert.Equal(t, http.StatusTooManyRequests, status)
	assert.Equal(t, http.StatusSeeOther, start("192.0.2.2"))
}

func TestSignIn(t *testing.T) {
	idp, base := serve(t)
	v := newVisitor(t)
	body := v.get(base + "/").Body
	assert.Contains(t, body, "Not signed in")
	res := v.get(base + "/login")
	require.Equal(t, http.StatusSeeOther, res.Status)
	form, err := idp.Answer(res.Header.Get("Location"), mockidp.DefaultLogin)
	require.NoError(t, err)

	// Another browser, and an answer to no request.
	res = newVisitor(t).post("http://idp.localhost", form.URL, form.Values())
	assert.Equal(t, http.StatusForbidden, res.Status)
	tile, err := idp.IdPInitiated("", mockidp.DefaultLogin, "")
	require.NoError(t, err)
	res = v.post("http://idp.localhost", tile.URL, tile.Values())
	assert.Equal(t, http.StatusForbidden, res.Status)
	body = v.get(base + "/").Body
	assert.Contains(t, body, "Not signed in")

	// This browser, once.
	before := &visitor{v.Copy(), t}
	res = v.post("http://idp.localhost", form.URL, form.Values())
	require.Equal(t, http.StatusSeeOther, res.Status)
	require.Equal(t, "/", v.get(base+res.Header.Get("Location")).Header.Get("Location"))
	body = v.get(base + "/").Body
	assert.Contains(t, body, "Signed in as <strong>"+mockidp.DefaultLogin)
	res = before.post("http://idp.localhost", form.URL, form.Values())
	assert.Equal(t, http.StatusForbidden, res.Status, "a second time")
	again := res.Refresh()
	res = v.get(again)
	assert.Equal(t, http.StatusSeeOther, res.Status, "who is signed in is led home")
	res = newVisitor(t).get(again)
	body = res.Body
	assert.Equal(t, http.StatusForbidden, res.Status)
	assert.Contains(t, body, "Sign-in did not work")
	assert.Contains(t, body, `<a href="/login">Sign in again</a>`)

	// Another site can't sign this browser out; this site's page can.
	old := v.thief(sessionCookie)
	res = v.post("http://evil.example", base+"/sign-out", url.Values{})
	assert.Equal(t, http.StatusForbidden, res.Status)
	body = v.get(base + "/").Body
	assert.Contains(t, body, "Signed in as")
	res = v.post(base, base+"/sign-out", url.Values{})
	require.Equal(t, http.StatusSeeOther, res.Status)
	body = v.get(base + "/").Body
	assert.Contains(t, body, "Not signed in")
	body = old.get(base + "/").Body
	assert.Contains(t, body, "Not signed in")
}

// signIn signs in, and opens the page that the browser is sent to.
func signIn(v *visitor, idp *mockidp.Server, base string) {
	v.t.Helper()
	res := v.get(base + "/login")
	require.Equal(v.t, http.StatusSeeOther, res.Status)
	form, err := idp.Answer(res.Header.Get("Location"), mockidp.DefaultLogin)
	require.NoError(v.t, err)
	res = v.post("http://idp.localhost", form.URL, form.Values())
	require.Equal(v.t, http.StatusSeeOther, res.Status)
	v.get(base + res.Header.Get("Location")) // which has the browser's cookies
	require.Contains(v.t, v.get(base+"/").Body, "Signed in as")
}

// Signing in again ends the browser's earlier session: copies of its cookie and of the cookie between are invalid.
func TestSigningInAgainEndsTheOldSession(t *testing.T) {
	idp, base := serve(t)
	v := newVisitor(t)
	signIn(v, idp, base)
	stolen := v.thief(sessionCookie)
	body := stolen.get(base + "/").Body
	require.Contains(t, body, "Signed in as")

	signIn(v, idp, base)
	require.NotEqual(t, stolen.value(sessionCookie), v.value(sessionCookie))
	require.Len(t, v.Jar["127.0.0.1"], 1, "the cookies between are gone")
	body = stolen.get(base + "/").Body
	assert.Contains(t, body, "Not signed in")
	body = v.get(base + "/").Body
	assert.Contains(t, body, "Signed in as")
}

// The cookies between sign-in and session are valid once.
func TestASignInBeginsOneSession(t *testing.T) {
	idp, base := serve(t)
	v := newVisitor(t)
	res := v.get(base + "/login")
	form, err := idp.Answer(res.Header.Get("Location"), mockidp.DefaultLogin)
	require.NoError(t, err)
	to := base + v.post("http://idp.localhost", form.URL, form.Values()).Header.Get("Location")
	stolen := &visitor{v.Copy(), t}
	require.Equal(t, http.StatusSeeOther, v.get(to).Status)
	require.Contains(t, v.get(base+"/").Body, "Signed in as")
	require.Equal(t, http.StatusForbidden, stolen.get(to).Status)
	require.Contains(t, stolen.get(base+"/").Body, "Not signed in")
}

// The user's name is shown where the identity provider sends it. An attribute that can't be used gets the page about
// it, and no session.
func TestAttributes(t *testing.T) {
	idp, base := serve(t)
	send := func(names ...string) *testkit.Page {
		require.NoError(t, idp.UpdateApp(idp.Apps()[0].ID, func(a *mockidp.App) error {
			a.Attributes = []mockidp.Attribute{{Name: "urn:oid:2.16.840.1.113730.3.1.241", Values: names}}
			return nil
		}))
		v := newVisitor(t)
		form, err := idp.Answer(v.get(base+"/login").Header.Get("Location"), mockidp.DefaultLogin)
		require.NoError(t, err)
		res := v.post("http://idp.localhost", form.URL, form.Values())
		if res.Status != http.StatusSeeOther {
			assert.Contains(t, v.get(base+"/").Body, "Not signed in")
			return res
		}
		v.get(base + res.Header.Get("Location"))
		return v.get(base + "/")
	}
	assert.Contains(t, send("Alice <Adams>").Body, "</strong> (Alice &lt;Adams&gt;)</p>")
	page := send("Alice", "Adams")
	assert.Equal(t, http.StatusForbidden, page.Status)
	assert.Contains(t, page.Body, "<bdi>displayName</bdi>")
	assert.Contains(t, page.Body, `<a href="/login">Sign in again</a>`)
}
