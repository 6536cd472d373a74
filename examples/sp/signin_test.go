package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp"
)

// visitor keeps cookies by hand: net/http's jar sends no Secure cookie over
// http, which browsers do on this machine.
type visitor struct {
	t       *testing.T
	cookies map[string]string
}

func (v *visitor) send(method, to string, form url.Values, headers ...string) (*http.Response, string) {
	v.t.Helper()
	req, err := http.NewRequest(method, to, strings.NewReader(form.Encode()))
	require.NoError(v.t, err)
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	for name, value := range v.cookies {
		req.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	res, err := http.DefaultTransport.RoundTrip(req) // follows nothing
	require.NoError(v.t, err)
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	require.NoError(v.t, err)
	for _, c := range res.Cookies() {
		assert.True(v.t, c.Secure && c.HttpOnly && c.Path == "/" && c.Domain == "", c.String())
		if v.cookies[c.Name] = c.Value; c.MaxAge < 0 {
			delete(v.cookies, c.Name)
		}
	}
	return res, string(body)
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

func TestSignIn(t *testing.T) {
	idp, base := serve(t)
	v := &visitor{t, map[string]string{}}
	_, body := v.send("GET", base+"/", nil)
	assert.Contains(t, body, "Not signed in")
	res, _ := v.send("GET", base+"/login", nil)
	require.Equal(t, http.StatusSeeOther, res.StatusCode)
	form, err := idp.Answer(res.Header.Get("Location"), mockidp.DefaultLogin)
	require.NoError(t, err)

	// Somebody else's browser, and an answer to no request.
	res, _ = (&visitor{t, map[string]string{}}).send("POST", form.URL, form.Values())
	assert.Equal(t, http.StatusForbidden, res.StatusCode)
	tile, err := idp.IdPInitiated("", mockidp.DefaultLogin, "")
	require.NoError(t, err)
	res, _ = v.send("POST", tile.URL, tile.Values())
	assert.Equal(t, http.StatusForbidden, res.StatusCode)
	_, body = v.send("GET", base+"/", nil)
	assert.Contains(t, body, "Not signed in")

	// This browser, once.
	before := &visitor{t, map[string]string{}}
	for name, value := range v.cookies {
		before.cookies[name] = value
	}
	res, _ = v.send("POST", form.URL, form.Values())
	require.Equal(t, http.StatusSeeOther, res.StatusCode)
	assert.Equal(t, "/", res.Header.Get("Location"))
	_, body = v.send("GET", base+"/", nil)
	assert.Contains(t, body, "Signed in as <strong>"+mockidp.DefaultLogin)
	res, _ = before.send("POST", form.URL, form.Values())
	assert.Equal(t, http.StatusForbidden, res.StatusCode, "a second time")
	again := strings.TrimPrefix(res.Header.Get("Refresh"), "0; url=")
	res, _ = v.send("GET", base+again, nil)
	assert.Equal(t, http.StatusSeeOther, res.StatusCode, "who is signed in is led home")
	res, body = (&visitor{t, map[string]string{}}).send("GET", base+again, nil)
	assert.Equal(t, http.StatusForbidden, res.StatusCode)
	assert.Contains(t, body, "Sign-in did not work")
	assert.Contains(t, body, `<a href="/login">Sign in again</a>`)

	// Another site can't sign this browser out; its own page can, for good.
	old := &visitor{t, map[string]string{sessionCookie: v.cookies[sessionCookie]}}
	res, _ = v.send("POST", base+"/sign-out", nil, "Sec-Fetch-Site", "cross-site")
	assert.Equal(t, http.StatusForbidden, res.StatusCode)
	_, body = v.send("GET", base+"/", nil)
	assert.Contains(t, body, "Signed in as")
	res, _ = v.send("POST", base+"/sign-out", nil, "Sec-Fetch-Site", "same-origin")
	require.Equal(t, http.StatusSeeOther, res.StatusCode)
	_, body = v.send("GET", base+"/", nil)
	assert.Contains(t, body, "Not signed in")
	_, body = old.send("GET", base+"/", nil)
	assert.Contains(t, body, "Not signed in")
}

// signIn signs in, and opens the page that the browser is sent to.
func signIn(v *visitor, idp *mockidp.Server, base string) {
	v.t.Helper()
	res, _ := v.send("GET", base+"/login", nil)
	require.Equal(v.t, http.StatusSeeOther, res.StatusCode)
	form, err := idp.Answer(res.Header.Get("Location"), mockidp.DefaultLogin)
	require.NoError(v.t, err)
	// Browsers leave Lax cookies out of a form from another site.
	session := v.cookies[sessionCookie]
	delete(v.cookies, sessionCookie)
	res, _ = v.send("POST", form.URL, form.Values())
	require.Equal(v.t, http.StatusSeeOther, res.StatusCode)
	if session != "" {
		v.cookies[sessionCookie] = session
	}
	_, body := v.send("GET", base+res.Header.Get("Location"), nil)
	require.Contains(v.t, body, "Signed in as")
}

// Signing in again ends the session that the browser had: a copy of its cookie
// opens nothing any more, and neither does one of the cookie in between.
func TestSigningInAgainEndsTheOldSession(t *testing.T) {
	idp, base := serve(t)
	v := &visitor{t, map[string]string{}}
	signIn(v, idp, base)
	stolen := &visitor{t, map[string]string{sessionCookie: v.cookies[sessionCookie]}}
	_, body := stolen.send("GET", base+"/", nil)
	require.Contains(t, body, "Signed in as")

	signIn(v, idp, base)
	require.NotEqual(t, stolen.cookies[sessionCookie], v.cookies[sessionCookie])
	require.NotContains(t, v.cookies, nextCookie)
	_, body = stolen.send("GET", base+"/", nil)
	assert.Contains(t, body, "Not signed in")
	_, body = v.send("GET", base+"/", nil)
	assert.Contains(t, body, "Signed in as")
}

// The cookie between sign-in and session is good once.
func TestASignInBeginsOneSession(t *testing.T) {
	idp, base := serve(t)
	v := &visitor{t, map[string]string{}}
	res, _ := v.send("GET", base+"/login", nil)
	form, err := idp.Answer(res.Header.Get("Location"), mockidp.DefaultLogin)
	require.NoError(t, err)
	v.send("POST", form.URL, form.Values())
	require.NotEmpty(t, v.cookies[nextCookie])
	stolen := &visitor{t, map[string]string{nextCookie: v.cookies[nextCookie]}}
	_, body := v.send("GET", base+"/", nil)
	assert.Contains(t, body, "Signed in as")
	_, body = stolen.send("GET", base+"/", nil)
	assert.Contains(t, body, "Not signed in")
}
