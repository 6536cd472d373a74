package testkit_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp"
	"github.com/meridian-saml/meridian/mockidp/testkit"
)

const spURL = "https://sp.example"

// signInAs signs a user in to a service provider that doesn't listen.
func signInAs(t *testing.T, c mockidp.Config, login string) (*mockidp.Server, *testkit.Page, error) {
	t.Helper()
	idp := mockidp.New(c)
	t.Cleanup(idp.Close)
	app := newApp(idp, spURL)
	page, err := testkit.SignInHandler(idp, app, spURL+"/login", login)
	return idp, page, err
}

func TestSignInAs(t *testing.T) {
	t.Parallel()
	users := []mockidp.User{{Login: "alice@example.com"}, {Login: "bob@example.com", Password: "own", SecondFactor: "123"},
		{Login: "carol@example.com", Status: mockidp.LockedOut}}
	for _, c := range []struct{ login, want, err string }{
		{"alice@example.com", "Hello, alice@example.com", ""},
		{"BOB@example.com", "Hello, bob@example.com", ""}, // with a second factor
		{"carol@example.com", "", "asks for the password again"},
		{"dave@example.com", "", "dave@example.com"},
	} {
		idp, page, err := signInAs(t, mockidp.Config{Users: users}, c.login)
		if c.err != "" {
			assert.ErrorContains(t, err, c.err)
			assert.Nil(t, page)
			continue
		}
		require.NoError(t, err)
		assert.Equal(t, c.want, page.Body)
		assert.Equal(t, http.StatusOK, page.Status)
		assert.Equal(t, spURL+"/welcome", page.URL.String())
		home, err := page.Browser.Open(idp.DashboardURL())
		require.NoError(t, err)
		assert.Contains(t, home.Text(), "My Apps", "the browser has its session at the identity provider too")
	}
}

// With the page that composes responses there is no password, and a tile works as a request does.
func TestSignInComposed(t *testing.T) {
	t.Parallel()
	idp := mockidp.New(mockidp.Config{Compose: true, Users: []mockidp.User{{Login: "alice@example.com"},
		{Login: "bob@example.com", SecondFactor: "1"}}})
	t.Cleanup(idp.Close)
	app := newApp(idp, spURL)
	for _, at := range []string{spURL + "/login", idp.TileURL(""), idp.TileURL("") + "?RelayState=/welcome"} {
		page, err := testkit.SignInHandler(idp, app, at, "bob@example.com")
		require.NoError(t, err)
		assert.Equal(t, "Hello, bob@example.com", page.Body)
	}
}

// What keeps a response from the service provider is an error. A refusal by the service provider is a page.
func TestSignInErrors(t *testing.T) {
	t.Parallel()
	idp, page, err := signInAs(t, mockidp.Config{}, mockidp.DefaultLogin)
	require.NoError(t, err)
	b := page.Browser

	require.NoError(t, idp.QueueError("", mockidp.Status{SubCode: mockidp.StatusRequestDenied}))
	page, err = b.SignInAs(idp, spURL+"/login", mockidp.DefaultLogin)
	require.NoError(t, err)
	assert.Equal(t, http.StatusForbidden, page.Status)
	assert.Equal(t, "sp.example", page.URL.Host)

	require.NoError(t, idp.Inject(mockidp.Fault{Kind: mockidp.DropConnection, Count: 1}))
	_, err = b.SignInAs(idp, spURL+"/login", mockidp.DefaultLogin)
	assert.ErrorIs(t, err, io.EOF)

	_, err = b.SignInAs(idp, spURL+"/private", mockidp.DefaultLogin)
	assert.ErrorContains(t, err, "started no sign-in")
	require.NoError(t, idp.UpdateApp("", func(a *mockidp.App) error { a.Groups, a.Audience = nil, spURL; return nil }))
	_, err = b.SignInAs(idp, spURL+"/login", mockidp.DefaultLogin)
	assert.ErrorContains(t, err, "ended at the identity provider, with status 403")
	assert.Panics(t, func() {
		_, _ = testkit.SignInHandler(idp, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("a bug") }),
			spURL+"/", mockidp.DefaultLogin)
	})
	_, err = b.SignInAs(badURL{idp}, spURL, mockidp.DefaultLogin)
	assert.Error(t, err)
}

type badURL struct{ *mockidp.Server }

func (badURL) SignInURL() string { return ":" }

// Both sides have TLS, with certificates that no authority signed.
func TestSignInClient(t *testing.T) {
	t.Parallel()
	idp := mockidp.NewUnstarted(mockidp.Config{})
	idp.StartTLS()
	t.Cleanup(idp.Close)
	sp := httptest.NewUnstartedServer(nil)
	base := "https://" + sp.Listener.Addr().String()
	sp.Config.Handler = newApp(idp, base)
	sp.StartTLS()
	t.Cleanup(sp.Close)
	page, err := testkit.SignInClient(idp, sp.Client(), base+"/login", mockidp.DefaultLogin)
	require.NoError(t, err)
	assert.Equal(t, "Hello, alice@example.com", page.Body)
	_, err = testkit.SignInClient(idp, &http.Client{}, base+"/login", mockidp.DefaultLogin)
	assert.ErrorContains(t, err, "certificate")
}

// The client and the browser share their cookies.
func TestBrowserClient(t *testing.T) {
	t.Parallel()
	_, page, err := signInAs(t, mockidp.Config{}, mockidp.DefaultLogin)
	require.NoError(t, err)
	b := page.Browser
	status := func() int {
		resp, err := b.Client().Get(spURL + "/private")
		require.NoError(t, err)
		defer resp.Body.Close()
		return resp.StatusCode
	}
	assert.Equal(t, http.StatusOK, status())
	delete(b.Jar["sp.example"], "user")
	assert.Equal(t, http.StatusUnauthorized, status())

	b.Transport = testkit.Handlers{"": http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.SetCookie(w, &http.Cookie{Name: "set", Value: r.URL.Path})
	})}
	resp, err := b.Client().Post("https://other.example/x", "text/plain", strings.NewReader("x"))
	require.NoError(t, err)
	resp.Body.Close()
	assert.Equal(t, "/x", b.Jar.Value("other.example", "set"))
}

// A page's form is sent as HTML says: by its method and in its encoding. A message may be in the form's address.
func TestFormsOfMessages(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ form, got string }{
		{`method="post" enctype="text/plain"><input name="SAMLResponse" value="a b">`, "POST|text/plain|SAMLResponse=a b\r\n"},
		{`method="get"><input name="SAMLResponse" value="a b">`, "GET||SAMLResponse=a+b"},
		{`><input name="SAMLResponse[]" value="1">`, "GET||SAMLResponse%5B%5D=1"},
		{`method="post"><input name="SAMLResponse" value="1"><input name="SAMLResponse" value="2">`,
			"POST|application/x-www-form-urlencoded|SAMLResponse=1&SAMLResponse=2"},
	} {
		var got string
		b := testkit.NewBrowser(t.Context())
		b.Transport = testkit.Handlers{"": http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/" {
				fmt.Fprintf(w, `<form action="/acs?old=1" %s</form>`, c.form)
				return
			}
			body, _ := io.ReadAll(r.Body)
			got = r.Method + "|" + r.Header.Get("Content-Type") + "|"
			if got += string(body); r.Method == http.MethodGet {
				got += r.URL.RawQuery
			}
		})}
		_, err := b.SignIn("https://a.example/", "", "")
		require.NoError(t, err)
		assert.Equal(t, c.got, got)
	}

	b, fields := testkit.NewBrowser(t.Context()), url.Values{}
	b.Transport = testkit.Handlers{"": http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/" {
			fmt.Fprint(w, `<form method="post" action="/acs?SAMLResponse=1" enctype="multipart/form-data"><input name="x" value="2"></form>`)
			return
		}
		if r.ParseMultipartForm(1<<10) == nil {
			fields = r.Form
		}
	})}
	_, err := b.SignIn("https://a.example/", "", "")
	require.NoError(t, err)
	assert.Equal(t, url.Values{"SAMLResponse": {"1"}, "x": {"2"}}, fields)
	_, err = b.Submit(&testkit.Page{URL: at(t, "https://a.example/")}, testkit.Form{Action: ":", Method: "get"}, nil)
	assert.Error(t, err)
}

// The mock's fault that doubles a message takes effect: both copies are posted, and the second answer is the page.
func TestDoubledMessage(t *testing.T) {
	t.Parallel()
	idp := mockidp.New(mockidp.Config{Faults: []mockidp.Fault{{Kind: mockidp.DuplicatePost}}})
	t.Cleanup(idp.Close)
	page, err := testkit.SignInHandler(idp, newApp(idp, spURL), spURL+"/login", mockidp.DefaultLogin)
	require.NoError(t, err)
	posts := 0
	for _, v := range page.Browser.Trail {
		if v.URL == spURL+"/acs" {
			posts++
		}
	}
	assert.Equal(t, 2, posts)
}

func TestPageIsBounded(t *testing.T) {
	t.Parallel()
	b := testkit.NewBrowser(t.Context())
	b.Transport = testkit.Handlers{"": http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write(make([]byte, 32<<20+1))
	})}
	_, err := b.Open("https://a.example/")
	assert.ErrorContains(t, err, "more than 33554432 bytes")
}
