package programs_test

import (
	"net"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/examples/internal/migrated"
	"github.com/meridian-saml/meridian/mockidp"
	"github.com/meridian-saml/meridian/mockidp/testkit"
)

// The programs of crewjam/saml, from its README and its example folder, run on package samlspcompat after what
// MIGRATING.md says in step 1. The code of steps 2 and 3 compiles, and the program of step 5 takes their place.
func TestProgramsOfSAMLSP(t *testing.T) {
	root, err := filepath.Abs("../../..")
	require.NoError(t, err)
	guide, err := migrated.Guide(root)
	require.NoError(t, err)
	require.Len(t, guide["sh"], 1)
	require.Len(t, guide["go"], 3)
	readme, err := migrated.README(root)
	require.NoError(t, err)
	trivial, err := migrated.Trivial(root)
	require.NoError(t, err)
	next, err := migrated.With(guide["go"], "middleware.New(")
	require.NoError(t, err)
	for name, p := range map[string]struct {
		source  string
		migrate string // a script, or empty
		logout  string // the path of the program's logout, or empty
	}{
		"README":  {source: readme, migrate: guide["sh"][0]},
		"trivial": {source: trivial, migrate: guide["sh"][0], logout: "/logout"},
		"step 5":  {source: next, logout: "/saml/logout"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newProgramWorld(t)
			source := p.source
			if p.migrate != "" {
				source, err := migrated.Migrate(w.dir, source, p.migrate)
				require.NoError(t, err)
				require.Contains(t, source, "samlspcompat.New(samlsp.Options{")
				p.source = source
			}
			w.run(root, p.source)
			w.signIn()
			if p.logout != "" {
				w.signOut(p.logout)
			}
		})
	}
	t.Run("steps 2 and 3", func(t *testing.T) {
		t.Parallel()
		_, err := migrated.Build(root, t.TempDir(), steps(guide["go"][0], guide["go"][1]), "8000")
		require.NoError(t, err)
	})
}

// steps returns a program with the code of steps 2 and 3.
func steps(names, shared string) string {
	use := func(block string) string {
		for _, v := range []string{"records, err", "sessions, err", "samlSP, err"} {
			block = strings.ReplaceAll(block, v+" := ", strings.TrimSuffix(v, ", err")+", err = ")
		}
		return block
	}
	return `package main

import (
	"context"

	"github.com/crewjam/saml/samlsp"
	"github.com/redis/go-redis/v9"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/acs/redisstore"
	all "github.com/meridian-saml/meridian/acs/sessions"
	"github.com/meridian-saml/meridian/acs/samlspcompat"
	"github.com/meridian-saml/meridian/saml"
)

func main() {
	var (
		ctx     = context.Background()
		opts    samlsp.Options
		client  *redis.Client
		sealer  acs.Sealer
		records acs.Store
		sessions all.Store
		samlSP  *samlspcompat.Middleware
		err     error
	)
	` + use(names) + use(shared) + `
	_, _ = samlSP, err
}
`
}

// programWorld has a mock, the folder of a program, and a browser.
type programWorld struct {
	t    *testing.T
	dir  string
	port string
	idp  *mockidp.Server
	b    *testkit.Browser
}

func newProgramWorld(t *testing.T) *programWorld {
	t.Helper()
	w := &programWorld{t: t, dir: t.TempDir(), b: testkit.NewBrowser(t.Context())}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	_, w.port, err = net.SplitHostPort(l.Addr().String())
	require.NoError(t, err)
	require.NoError(t, l.Close())
	w.idp = mockidp.New(mockidp.Config{Users: []mockidp.User{{
		Login: mockidp.DefaultLogin, Attributes: map[string][]string{"displayName": {"Alice <Adams>"}},
	}}})
	t.Cleanup(w.idp.Close)
	return w
}

func (w *programWorld) url(path string) string { return "http://localhost:" + w.port + path }

// run starts a program, and registers it with the mock.
func (w *programWorld) run(root, source string) {
	t := w.t
	t.Helper()
	key := testkit.RSAKey("samlsp program")
	service, err := migrated.Start(
		root, w.dir, source, w.port, key, testkit.Certificate(key, time.Now()), w.idp.Metadata(""))
	require.NoError(t, err)
	t.Cleanup(service.Stop)
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		p, err := w.b.Look(w.url("/saml/metadata"))
		require.NoError(c, err)
		require.NoError(c, w.idp.RegisterSP("", []byte(p.Body)))
	}, time.Minute, 50*time.Millisecond)
}

// signIn signs in from the program's page, and reads it a second time.
func (w *programWorld) signIn() {
	t := w.t
	t.Helper()
	p, err := w.b.SignInAs(w.idp, w.url("/hello"), mockidp.DefaultLogin)
	require.NoError(t, err)
	require.Equal(t, w.url("/hello"), p.URL.String())
	require.Contains(t, p.Text(), "Hello, Alice")
	w.signedIn(http.StatusOK)
}

// signedIn compares the status of the program's page: 303 leads to the identity provider.
func (w *programWorld) signedIn(status int) {
	w.t.Helper()
	p, err := w.b.Look(w.url("/hello"))
	require.NoError(w.t, err)
	require.Equal(w.t, status, p.Status)
}

// signOut signs out by the program's page, which may ask first.
func (w *programWorld) signOut(path string) {
	t := w.t
	t.Helper()
	out := testkit.Navigation{From: w.url(""), Method: http.MethodPost, URL: w.url(path), Form: url.Values{}, User: true}
	p, err := w.b.Open(w.url(path))
	require.NoError(t, err)
	if strings.Contains(p.Body, "Sign out?") {
		w.signedIn(http.StatusOK) // until the button is pressed
		p, err = w.b.Submit(p, p.Forms()[0], nil)
	} else {
		p, err = w.b.Go(out)
	}
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, p.Status, "%s\n%s", p.URL, p.Body)
	w.signedIn(http.StatusSeeOther)
}
