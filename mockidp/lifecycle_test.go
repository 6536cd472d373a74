package mockidp_test

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp"
)

func TestZeroConfig(t *testing.T) {
	idp := start(t, mockidp.Config{})
	assert.Regexp(t, `^http://127\.0\.0\.1:\d+$`, idp.URL)
	require.NoError(t, idp.RegisterSP("", []byte(spMetadata)))
	form, err := idp.IdPInitiated("", mockidp.DefaultLogin, "")
	require.NoError(t, err)
	assert.Equal(t, frank, form.URL)
	b := newBrowser(t, idp)
	home := b.signIn(b.get(idp.URL), mockidp.DefaultLogin, mockidp.DefaultPassword)
	home.contains(t, "Example")
	cert := must(mockidp.Open(mockidp.Config{})).Certificate()
	assert.Equal(t, "Okta", cert.Subject.Organization[0])
	assert.WithinDuration(t, time.Now().AddDate(10, 0, 0), cert.NotAfter, time.Hour)
}

func TestBeforeAnySPIsRegistered(t *testing.T) {
	idp := start(t, mockidp.Config{Key: rsaKey()})
	_, err := idp.IdPInitiated("", mockidp.DefaultLogin, "")
	assert.Equal(t, mockidp.ReasonNoACS, reason(t, err))
	_, err = idp.Answer(idp.SSOURL("")+"?"+url.Values{"SAMLRequest": {deflated(request())}}.Encode(), mockidp.DefaultLogin)
	assert.Equal(t, mockidp.ReasonIssuer, reason(t, err))
	assert.ErrorContains(t, err, "RegisterSP")
	// An empty Issuer isn't the empty Audience.
	_, err = idp.AnswerPost(idp.SSOURL(""), postForm(strings.Replace(request(), entityID, "", 1)), mockidp.DefaultLogin)
	assert.Equal(t, mockidp.ReasonIssuer, reason(t, err))
}

func TestMisusePanics(t *testing.T) {
	key := rsaKey()
	for name, f := range map[string]func(){
		"started twice":         func() { s := mockidp.New(mockidp.Config{Key: key}); defer s.Close(); s.Start() },
		"started after Close":   func() { s := mockidp.NewUnstarted(mockidp.Config{Key: key}); s.Close(); s.Start() },
		"no listener":           func() { must(mockidp.Open(mockidp.Config{Key: key})).Start() },
		"Client before Start":   func() { must(mockidp.Open(mockidp.Config{Key: key})).Client() },
		"Handler at no address": func() { must(mockidp.Open(mockidp.Config{Key: key})).Handler() },
		"metadata of nothing":   func() { s := mockidp.New(mockidp.Config{Key: key}); defer s.Close(); s.Metadata("none") },
		"broken config":         func() { mockidp.New(mockidp.Config{Key: key, BaseURL: "x"}) },
	} {
		t.Run(name, func(t *testing.T) { assert.Panics(t, f) })
	}
}

// quick requires that a call takes less than its 5 s timeout. On a busy machine one call may take longer, so there
// are several attempts.
func quick(t *testing.T, try func() time.Duration) {
	t.Helper()
	var took []time.Duration
	for range 5 {
		if took = append(took, try()); took[len(took)-1] < 4*time.Second {
			return
		}
	}
	assert.Fail(t, "waited for the timeout", "%v", took)
}

func TestCloseMayBeCalledAgain(t *testing.T) {
	quick(t, func() time.Duration { return closedTwice(t) })
	mockidp.NewUnstarted(mockidp.Config{Key: rsaKey()}).Close()
}

// closedTwice closes a server twice while a connection is idle, and returns how long that took.
func closedTwice(t *testing.T) time.Duration {
	idp := mockidp.New(mockidp.Config{Key: rsaKey()})
	c, addr := idp.Client(), idp.Listener.Addr().String()
	// A connection that a browser opened in advance, with no request on it.
	idle, err := net.Dial("tcp", addr)
	require.NoError(t, err)
	defer idle.Close()
	r, err := c.Get(idp.URL)
	require.NoError(t, err)
	r.Body.Close()
	began := time.Now()
	idp.Close()
	idp.Close()
	took := time.Since(began)
	_, err = net.Dial("tcp", addr)
	assert.Error(t, err, "still listening")
	return took
}

func TestClientReachesLocalNames(t *testing.T) {
	sp := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, "sp at ",
			r.Host)
	}))
	defer sp.Close()
	_, port, _ := net.SplitHostPort(sp.Listener.Addr().String())
	for _, secure := range []bool{false, true} {
		idp := mockidp.NewUnstarted(mockidp.Config{Key: rsaKey()})
		t.Cleanup(idp.Close)
		if secure {
			idp.StartTLS()
			assert.NotNil(t, idp.TLSCertificate())
		} else {
			idp.Start()
			assert.Nil(t, idp.TLSCertificate())
		}
		get := func(u string) string {
			r, err := idp.Client().Get(u)
			require.NoError(t, err)
			defer r.Body.Close()
			return string(must(io.ReadAll(r.Body)))
		}
		assert.Contains(t, get(idp.URL), "Sign in")
		u := must(url.Parse(idp.URL))
		assert.Contains(t, get(u.Scheme+"://idp.example.com/"), "Sign in")
		assert.Contains(t, get(u.Scheme+"://idp.localhost:"+u.Port()), "Sign in")
		assert.Equal(t, "sp at us-east-1.localhost:"+port, get("http://us-east-1.localhost:"+port))
		assert.Nil(t, idp.Client().Jar)
		mine := idp.Client()
		mine.Jar = must(cookiejar.New(nil))
		assert.Nil(t, idp.Client().Jar, "callers share a jar")
	}
}

func TestBaseURL(t *testing.T) {
	idp := start(t, mockidp.Config{Key: rsaKey(), BaseURL: "http://idp.localhost:0"})
	_, port, _ := net.SplitHostPort(idp.Listener.Addr().String())
	assert.Equal(t, "http://idp.localhost:"+port, idp.URL)
	assert.Equal(t, idp.URL+"/login/login.htm", idp.SignInURL())
	assert.Contains(t, string(idp.Metadata("")), idp.SSOURL(""))

	hosted, err := mockidp.Open(mockidp.Config{Key: rsaKey(), BaseURL: "https://idp.example/"})
	require.NoError(t, err)
	assert.Equal(t, "https://idp.example", hosted.URL)
	srv := httptest.NewServer(hosted.Handler())
	defer srv.Close()
	app, _ := hosted.App("")
	r, err := http.Get(srv.URL + "/app/" + app.ExternalKey + "/sso/saml/metadata")
	require.NoError(t, err)
	defer r.Body.Close()
	assert.Contains(t, string(must(io.ReadAll(r.Body))), `Location="https://idp.example/app/`,
		"the address came from the request")
	hosted.Close()
}

func TestInvalidConfigs(t *testing.T) {
	_, foreign, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	idp := start(t, mockidp.Config{Key: rsaKey()})
	users := func(us ...mockidp.User) mockidp.Config { return mockidp.Config{Users: us} }
	apps := func(as ...mockidp.App) mockidp.Config { return mockidp.Config{Apps: as} }
	for name, c := range map[string]mockidp.Config{
		"BaseURL":                    {BaseURL: "idp.localhost"},
		"BaseURL with a path":        {BaseURL: "http://idp.localhost/idp"},
		"BaseURL of another scheme":  {BaseURL: "ftp://idp.localhost"},
		"negative lifetime":          {SessionLifetime: -1},
		"certificate without key":    {Certificate: idp.Certificate()},
		"certificate of another key": {Key: ecdsaKey(), Certificate: idp.Certificate()},
		"Ed25519":                    {Key: crypto.Signer(foreign)},
		"empty login":                users(mockidp.User{}),
		"login with space":           users(mockidp.User{Login: " a"}),
		"login twice":                users(mockidp.User{Login: "a"}, mockidp.User{Login: "A"}),
		"not XML text":               users(mockidp.User{Login: "a", FirstName: "\x00"}),
		"not UTF-8":                  users(mockidp.User{Login: "a", Attributes: map[string][]string{"x": {"\xff"}}}),
		"attribute name":             users(mockidp.User{Login: "a", Attributes: map[string][]string{"x y": {"z"}}}),
		"attribute name taken":       users(mockidp.User{Login: "a", Attributes: map[string][]string{"login": {"z"}}}),
		"group twice":                {Groups: []mockidp.Group{{Name: "g"}, {Name: "g"}}},
		"group Everyone":             {Groups: []mockidp.Group{{Name: mockidp.Everyone}}},
		"unknown group of a user": {
			Groups: []mockidp.Group{{Name: "g"}}, Users: []mockidp.User{{Login: "a", Groups: []string{"h"}}}},
		"unknown group of an app": apps(mockidp.App{Label: "a", Groups: []string{"h"}}),
		"unknown user of an app":  apps(mockidp.App{Label: "a", Users: []string{"h"}}),
		"no label":                apps(mockidp.App{}),
		"same ID":                 apps(mockidp.App{Label: "a", ID: "x"}, mockidp.App{Label: "b", ID: "x"}),
		"same key": apps(mockidp.App{Label: "a", ExternalKey: "x"},
			mockidp.App{Label: "b", ExternalKey: "x"}),
		"ID that isn't one": apps(mockidp.App{Label: "a", ID: "x/y"}),
		"ID of dots":        apps(mockidp.App{Label: "a", ID: ".."}),
		"unknown kind":      apps(mockidp.App{Label: "a", Kind: 9}),
		"unknown policy":    apps(mockidp.App{Label: "a", Unlisted: 9}),
		"unknown signing":   apps(mockidp.App{Label: "a", Sign: 9}),
		"unknown filter":    apps(mockidp.App{Label: "a", GroupAttribute: &mockidp.GroupAttribute{Filter: 9}}),
		"broken filter": apps(mockidp.App{Label: "a",
			GroupAttribute: &mockidp.GroupAttribute{Filter: mockidp.Regex, Value: "("}}),
		"broken expression": apps(mockidp.App{Label: "a",
			Attributes: []mockidp.Attribute{{Name: "x", Values: []string{"${user.a b}"}}}}),
		"nameless attribute": apps(mockidp.App{Label: "a", Attributes: []mockidp.Attribute{{}}}),
		"long RelayState":    apps(mockidp.App{Label: "a", DefaultRelayState: strings.Repeat("x", 1025)}),
		"app lifetime":       apps(mockidp.App{Label: "a", SessionLifetime: -1}),
		"SAML with a URL":    apps(mockidp.App{Label: "a", URL: frank}),
		"bookmark without":   apps(mockidp.App{Label: "a", Kind: mockidp.Bookmark}),
		"bookmark of script": apps(mockidp.App{Label: "a", Kind: mockidp.Bookmark, URL: "javascript:alert(1)"}),
		"bookmark with ACS": apps(mockidp.App{Label: "a", Kind: mockidp.Bookmark, URL: frank,
			ACS: []mockidp.ACS{{URL: frank}}}),
		"duplicate ACS": apps(mockidp.App{Label: "a", ACS: []mockidp.ACS{{URL: frank}, {URL: frank}}}),
	} {
		t.Run(name, func(t *testing.T) {
			if c.Key == nil && c.Certificate == nil {
				c.Key = rsaKey()
			}
			idp, err := mockidp.Open(c)
			assert.Nil(t, idp)
			assert.Equal(t, mockidp.ReasonConfig, reason(t, err))
		})
	}
}

func TestConfigIsCopied(t *testing.T) {
	conf := twoRegions()
	idp := start(t, conf)
	conf.Apps[0].ACS[0].URL = "http://evil.localhost/"
	conf.Users[0].Groups[0] = "x"
	app, ok := idp.App("idc")
	require.True(t, ok)
	assert.Equal(t, virginia, app.ACS[0].URL)
	assert.EqualValues(t, 1, *app.ACS[1].Index, "its position in the list")
	app.ACS[0].URL, *app.ACS[1].Index = "http://evil.localhost/", 9
	form, err := idp.IdPInitiated("idc", alice, "")
	require.NoError(t, err)
	assert.Equal(t, virginia, form.URL)
}

func TestFailedUpdatesHaveNoEffect(t *testing.T) {
	idp := start(t, twoRegions())
	boom := fmt.Errorf("boom")
	assert.ErrorIs(t, idp.UpdateApp("idc", func(a *mockidp.App) error { a.Label = "x"; return boom }), boom)
	assert.Equal(t, mockidp.ReasonNoSuchApp, reason(t, idp.UpdateApp("none", func(*mockidp.App) error { return nil })))
	assert.Equal(t, mockidp.ReasonNotSAML, reason(t, idp.SetACS("mark", nil)))
	assert.Equal(t, mockidp.ReasonNoSuchUser, reason(t, idp.UpdateUser("none", func(*mockidp.User) error { return nil })))
	assert.Equal(t, mockidp.ReasonConfig,
		reason(t, idp.UpdateUser(alice, func(u *mockidp.User) error { u.Login = bob; return nil })))
	assert.Equal(t, mockidp.ReasonConfig, reason(t, idp.AddUser(mockidp.User{Login: "Alice@Example.com"})))
	_, err := idp.AddApp(mockidp.App{Label: "x", ID: "idc"})
	assert.Equal(t, mockidp.ReasonConfig, reason(t, err))
	app, _ := idp.App("idc")
	assert.Equal(t, "Identity Center – N. Virginia", app.Label)
	assert.Len(t, idp.Apps(), 2)
	_, ok := idp.App("none")
	assert.False(t, ok)
	_, ok = idp.User("none")
	assert.False(t, ok)

	require.NoError(t, idp.AddUser(mockidp.User{Login: "carol@example.com"}))
	added, err := idp.AddApp(mockidp.App{Label: "Added", Users: []string{"carol@example.com"},
		ACS: []mockidp.ACS{{URL: ireland}}})
	require.NoError(t, err)
	form, err := idp.IdPInitiated(added.ID, "carol@example.com", "")
	require.NoError(t, err)
	assert.Equal(t, ireland, form.URL)
}

func TestIDsAreDerivedFromTheLabel(t *testing.T) {
	ids := func() string {
		idp := start(t, mockidp.Config{Key: rsaKey(), Apps: []mockidp.App{{Label: "A"}, {Label: "A"}, {Label: "B"}}})
		var out []string
		for _, a := range idp.Apps() {
			assert.Regexp(t, `^0oa[0-9A-Za-z]{17}$`, a.ID)
			assert.Regexp(t, `^exk[0-9A-Za-z]{17}$`, a.ExternalKey)
			out = append(out, a.ID, a.ExternalKey, a.Name)
		}
		seen := map[string]bool{}
		for _, id := range out {
			assert.False(t, seen[id], id)
			seen[id] = true
		}
		return strings.Join(out, " ")
	}
	assert.Equal(t, ids(), ids(), "a service provider's settings wouldn't survive a restart")
}

func TestLogHoldsNoSecrets(t *testing.T) {
	var b bytes.Buffer
	conf := twoRegions()
	conf.Users[0].Password = "s3cret of Alice's"
	conf.Logger = slog.New(slog.NewTextHandler(&b, nil))
	idp := mockidp.New(conf)
	br := newBrowser(t, idp)
	page := br.signIn(br.get(redirect(idp, request(), strings.Repeat("r", 100))), alice, "wr0ng-pass")
	form := br.signIn(page, alice, conf.Users[0].Password).answer(t)
	br.get(idp.SSOURL("idc")+"?SAMLRequest=x").refused(t, 400, mockidp.ReasonMalformed)
	idp.Close()
	for _, want := range []string{"sign-in failed", "signed in to an app", "refused", "80 bytes"} {
		assert.Contains(t, b.String(), want)
	}
	for _, secret := range []string{"wr0ng-pass", "s3cret", form.SAMLResponse[:40]} {
		assert.NotContains(t, b.String(), secret)
	}
}
