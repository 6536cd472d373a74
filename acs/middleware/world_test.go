package middleware_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/acs/middleware"
	"github.com/meridian-saml/meridian/acs/sessions"
	"github.com/meridian-saml/meridian/mockidp"
	"github.com/meridian-saml/meridian/mockidp/testkit"
	"github.com/meridian-saml/meridian/saml"
)

const (
	host  = "app.example"
	base  = "https://" + host
	alice = mockidp.DefaultLogin
	bob   = "bob@example.com"
)

// world is a program behind a Guard, a mock identity provider with alice and bob, and their clock.
type world struct {
	t       *testing.T
	clock   *testkit.Clock
	idp     *mockidp.Server
	source  *saml.SwappableIdP
	sp      *saml.ServiceProvider
	store   acs.Store
	sess    sessions.Store
	guard   *middleware.Guard
	handler http.Handler
	logs    *logBuffer
}

// logBuffer can be read while it is written.
type logBuffer struct {
	mu sync.Mutex
	bytes.Buffer
}

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.Buffer.Write(p)
}

func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.Buffer.String()
}

// newWorld starts them. The program shows the user at every path, and requires more at some.
func newWorld(t *testing.T, edit ...func(*middleware.Config)) *world {
	t.Helper()
	w := &world{t: t, clock: testkit.NewClock(time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)), logs: new(logBuffer)}
	w.store = acs.NewMemoryStore(acs.MemoryConfig{Now: w.clock.Now})
	w.sess = sessions.NewMemoryStore(sessions.MemoryConfig{})
	var users []mockidp.User
	for _, login := range []string{alice, bob} {
		first, _, _ := strings.Cut(login, "@")
		users = append(users, mockidp.User{Login: login, Email: login, FirstName: first, LastName: "Example",
			Password: mockidp.DefaultPassword, SecondFactor: "123456"})
	}
	w.idp = mockidp.New(mockidp.Config{Now: w.clock.Now, Users: users})
	t.Cleanup(w.idp.Close)
	idp, err := saml.ParseIdPMetadata(w.idp.Metadata(""))
	require.NoError(t, err)
	w.source = saml.NewSwappableIdP(idp)
	key := testkit.RSAKey("middleware sp")
	w.sp, err = saml.New(saml.Config{
		EntityID: base + "/saml", ACS: []saml.Endpoint{{URL: base + "/saml/acs"}},
		Logout: []saml.LogoutEndpoint{{URL: base + "/saml/slo"}},
		IdP:    w.source, Key: key, Certificate: testkit.Certificate(key, w.clock.Now()), Now: w.clock.Now,
	})
	require.NoError(t, err)
	metadata, err := w.sp.Metadata()
	require.NoError(t, err)
	require.NoError(t, w.idp.RegisterSP("", metadata))
	w.reload() // for its logout
	w.guard, err = middleware.New(w.config(edit...))
	require.NoError(t, err)
	mux := http.NewServeMux()
	w.guard.Mount(mux)
	mux.Handle("/", w.guard.Require(http.HandlerFunc(show)))
	w.handler = mux
	return w
}

// reload reads the identity provider's metadata again.
func (w *world) reload() {
	idp, err := saml.ParseIdPMetadata(w.idp.Metadata(""))
	require.NoError(w.t, err)
	w.source.Replace(idp)
}

func (w *world) config(edit ...func(*middleware.Config)) middleware.Config {
	cfg := middleware.Config{
		Config:   acs.Config{SP: w.sp, Store: w.store, Logger: slog.New(slog.NewTextHandler(w.logs, nil))},
		Sessions: w.sess,
	}
	for _, e := range edit {
		e(&cfg)
	}
	return cfg
}

// show is the program: it names the user.
func show(w http.ResponseWriter, r *http.Request) {
	s := middleware.From(r.Context())
	fmt.Fprintf(w, "%s %s as %s", r.Method, r.URL.RequestURI(), s.UserName)
}

// browser returns a new one, which reaches the program and the identity provider.
func (w *world) browser() *testkit.Browser {
	b := testkit.NewBrowser(w.t.Context())
	at, err := url.Parse(w.idp.URL)
	require.NoError(w.t, err)
	b.Transport = testkit.Handlers{host: w.handler, at.Host: w.idp.Handler()}
	return b
}

// signIn opens an address with a browser, as login.
func (w *world) signIn(b *testkit.Browser, addr, login string) *testkit.Page {
	w.t.Helper()
	p, err := b.SignInAs(w.idp, addr, login)
	require.NoError(w.t, err)
	return p
}

// open opens an address.
func (w *world) open(b *testkit.Browser, addr string) *testkit.Page {
	w.t.Helper()
	p, err := b.Open(addr)
	require.NoError(w.t, err)
	return p
}

// forms goes on from a page as scripts do.
func (w *world) forms(p *testkit.Page, err error) *testkit.Page {
	w.t.Helper()
	require.NoError(w.t, err)
	p, err = p.Browser.Continue(p)
	require.NoError(w.t, err)
	return p
}

// post posts a form of this origin.
func (w *world) post(b *testkit.Browser, addr string, form url.Values) *testkit.Page {
	w.t.Helper()
	p, err := b.Go(testkit.Navigation{From: base, Method: http.MethodPost, URL: addr, Form: form, User: true})
	return w.forms(p, err)
}

// forget makes the identity provider sign the user in again.
func (w *world) forget(b *testkit.Browser) {
	at, _ := url.Parse(w.idp.URL)
	delete(b.Jar, at.Hostname())
}

// signOutAtIdP signs the user out at the identity provider, which sends a LogoutRequest through the browser.
func (w *world) signOutAtIdP(b *testkit.Browser) *testkit.Page {
	w.t.Helper()
	p, err := b.Go(testkit.Navigation{
		From: w.idp.URL, Method: http.MethodPost, URL: w.idp.URL + "/login/signout", User: true,
	})
	return w.forms(p, err)
}
