package samlspcompat_test

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	crewjam "github.com/crewjam/saml"
	"github.com/crewjam/saml/samlsp"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs/samlspcompat"
	"github.com/meridian-saml/meridian/mockidp"
	"github.com/meridian-saml/meridian/mockidp/hostile"
	"github.com/meridian-saml/meridian/mockidp/testkit"
)

const (
	host  = "app.example"
	base  = "https://" + host
	alice = mockidp.DefaultLogin
	mail  = "urn:oid:0.9.2342.19200300.100.1.3"
)

// world is a program behind a Middleware, with a mock identity provider that sends two attributes.
type world struct {
	t   *testing.T
	idp *mockidp.Server
	b   *testkit.Browser
}

func newIdP(t *testing.T) *mockidp.Server {
	t.Helper()
	cfg := mockidp.Config{Apps: []mockidp.App{{
		Label: "Program", Groups: []string{"Everyone"}, Attributes: []mockidp.Attribute{
			{Name: mail, Values: []string{"${user.email}", "second@example.com"}},
			{Name: "displayName", Values: []string{"${user.firstName}"}},
		},
	}}}
	hostile.Arm(&cfg)
	idp := mockidp.New(cfg)
	t.Cleanup(idp.Close)
	return idp
}

// options are those of crewjam's README.
func options(t *testing.T, idp *mockidp.Server) samlsp.Options {
	t.Helper()
	at, err := url.Parse(base)
	require.NoError(t, err)
	key := testkit.RSAKey("samlspcompat")
	metadata := new(crewjam.EntityDescriptor)
	require.NoError(t, xml.Unmarshal(idp.Metadata(""), metadata))
	return samlsp.Options{URL: *at, Key: key, Certificate: testkit.Certificate(key, time.Now()), IDPMetadata: metadata}
}

func newWorld(t *testing.T, edit func(*samlspcompat.Config)) *world {
	t.Helper()
	w := &world{t: t, idp: newIdP(t), b: testkit.NewBrowser(t.Context())}
	cfg := samlspcompat.Config{Options: options(t, w.idp)}
	if edit != nil {
		edit(&cfg)
	}
	m, err := samlspcompat.NewWith(cfg)
	require.NoError(t, err)
	w.serve(program(m))
	return w
}

// middleware is what crewjam's Middleware and ours have.
type middleware interface {
	http.Handler
	RequireAccount(http.Handler) http.Handler
	HandleStartAuthFlow(http.ResponseWriter, *http.Request)
	HandleStartLogout(http.ResponseWriter, *http.Request)
}

// program has handlers that were written for samlsp.
func program(m middleware) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/saml/", m)
	mux.HandleFunc("/logout", m.HandleStartLogout)
	mux.HandleFunc("/login", m.HandleStartAuthFlow)
	mux.Handle("/hello", m.RequireAccount(http.HandlerFunc(show)))
	mux.Handle("/second", m.RequireAccount(samlsp.RequireAttribute("mail", "second@example.com")(http.HandlerFunc(show))))
	mux.Handle("/third", m.RequireAccount(samlsp.RequireAttribute("mail", "third@example.com")(http.HandlerFunc(show))))
	if ours, ok := m.(*samlspcompat.Middleware); ok {
		mux.Handle("/", ours.Load(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprint(w, samlsp.SessionFromContext(r.Context()) != nil)
		})))
	}
	return mux
}

// show writes the session as JSON.
func show(w http.ResponseWriter, r *http.Request) {
	claims := samlsp.SessionFromContext(r.Context()).(samlsp.JWTSessionClaims)
	_ = json.NewEncoder(w).Encode(struct {
		Mail string
		samlsp.JWTSessionClaims
	}{samlsp.AttributeFromContext(r.Context(), "mail"), claims})
}

// serve lets the browser reach a program, and registers it with the mock.
func (w *world) serve(program http.Handler) {
	t := w.t
	t.Helper()
	at, err := url.Parse(w.idp.URL)
	require.NoError(t, err)
	w.b.Transport = testkit.Handlers{host: program, at.Host: w.idp.Handler()}
	p, err := w.b.Look(base + "/saml/metadata")
	require.NoError(t, err)
	require.NoError(t, w.idp.RegisterSP("", []byte(p.Body)))
}

func (w *world) signIn(path string) *testkit.Page {
	w.t.Helper()
	p, err := w.b.SignInAs(w.idp, base+path, alice)
	require.NoError(w.t, err)
	return p
}

func (w *world) look(path string) *testkit.Page {
	w.t.Helper()
	p, err := w.b.Look(base + path)
	require.NoError(w.t, err)
	return p
}

// claims reads what show wrote.
func claims(t *testing.T, p *testkit.Page) (out struct {
	Mail string
	samlsp.JWTSessionClaims
},
) {
	t.Helper()
	require.Equal(t, http.StatusOK, p.Status, p.Body)
	require.NoError(t, json.NewDecoder(strings.NewReader(p.Body)).Decode(&out))
	return out
}
