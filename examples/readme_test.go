package examples_test

import (
	"crypto"
	"crypto/x509"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/acs/middleware"
	"github.com/meridian-saml/meridian/acs/sessions"
	"github.com/meridian-saml/meridian/mockidp"
	"github.com/meridian-saml/meridian/mockidp/hostile"
	"github.com/meridian-saml/meridian/mockidp/testkit"
	"github.com/meridian-saml/meridian/saml"
)

// The code blocks of the README are the bodies of the functions below, so
// that they compile, and the test compares the texts.

func readmeServiceProvider(idp *saml.IdP, key crypto.Signer, certificate *x509.Certificate, app http.Handler,
	mux *http.ServeMux) error {
	// readme: service provider
	sp, err := saml.New(saml.Config{
		EntityID: "https://us-east-1.signin.example/saml",
		ACS: []saml.Endpoint{ // ordered: the first is the default
			{URL: "https://us-east-1.signin.example/saml/acs", Region: "us-east-1"},
			{URL: "https://eu-central-1.signin.example/saml/acs", Region: "eu-central-1"},
		},
		Logout: []saml.LogoutEndpoint{
			{URL: "https://us-east-1.signin.example/saml/slo", Region: "us-east-1"},
			{URL: "https://eu-central-1.signin.example/saml/slo", Region: "eu-central-1"},
		},
		IdP: idp, Key: key, Certificate: certificate,
	})
	if err != nil {
		return err
	}
	guard, err := middleware.New(middleware.Config{
		Config:   acs.Config{SP: sp, Region: "eu-central-1", Store: acs.NewMemoryStore(acs.MemoryConfig{})},
		Sessions: sessions.NewMemoryStore(sessions.MemoryConfig{}),
	})
	if err != nil {
		return err
	}
	guard.Mount(mux) // /saml/acs, /saml/slo, /saml/metadata, /saml/login, /saml/logout
	mux.Handle("/", guard.Require(app))
	// readme: end
	return nil
}

func readmeMock(t *testing.T, yourService func(idpMetadata []byte) (http.Handler, []byte)) *testkit.Page {
	// readme: mock
	idp := mockidp.New(mockidp.Config{}) // one user, one app, on a port of its own
	t.Cleanup(idp.Close)
	handler, spMetadata := yourService(idp.Metadata(""))
	require.NoError(t, idp.RegisterSP("", spMetadata)) // entity ID and ACS URLs, in order

	page, err := testkit.SignInHandler(idp, handler, "https://sp.example/login", mockidp.DefaultLogin)
	// readme: end
	require.NoError(t, err)
	return page
}

func readmeHostile(t *testing.T, yourService func(*mockidp.Server) http.Handler) {
	// readme: hostile
	c := mockidp.Config{}
	hostile.Arm(&c)
	idp := mockidp.New(c)
	t.Cleanup(idp.Close)
	handler := yourService(idp)
	for _, attack := range []string{"A03/assertion", "B01", "D16"} {
		require.NoError(t, idp.SetMutation(attack, "", ""))
		page, err := testkit.SignInHandler(idp, handler, "https://sp.example/login", mockidp.DefaultLogin)
		require.NoError(t, err)
		require.Equal(t, http.StatusForbidden, page.Status, attack)
	}
	// readme: end
}

var (
	goBlock = regexp.MustCompile("(?s)```go\n(.*?)```")
	marked  = regexp.MustCompile(`(?s)// (?:readme|providers): [a-z ]+\n(.*?)\n\t// (?:readme|providers): end`)
)

func TestReadmeCompiles(t *testing.T) { requireCompiled(t, "../README.md", "readme_test.go", 3) }

// requireCompiled compares the Go blocks of a page with the marked bodies in a test file.
func requireCompiled(t *testing.T, page, test string, n int) {
	t.Helper()
	text, err := os.ReadFile(page)
	require.NoError(t, err)
	source, err := os.ReadFile(test)
	require.NoError(t, err)
	blocks, bodies := goBlock.FindAllSubmatch(text, -1), marked.FindAllSubmatch(source, -1)
	require.Len(t, bodies, n)
	require.Len(t, blocks, len(bodies), "every Go block of %s is compiled here", page)
	for i := range bodies {
		require.Equal(t, unindent(string(bodies[i][1])), strings.TrimSpace(string(blocks[i][1])), "block %d of %s", i+1, page)
	}
}

// The functions do what the README says of them.
func TestReadmeWorks(t *testing.T) {
	idp := mockidp.New(mockidp.Config{})
	t.Cleanup(idp.Close)
	mux, key := http.NewServeMux(), testkit.RSAKey("readme")
	source, err := saml.ParseIdPMetadata(idp.Metadata(""))
	require.NoError(t, err)
	require.NoError(t, readmeServiceProvider(source, key, testkit.Certificate(key, time.Now()),
		http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprint(w, r.URL.Path, " of ", middleware.From(r.Context()).UserName)
		}), mux))
	const here = "https://eu-central-1.signin.example"
	metadata := httptest.NewRecorder()
	mux.ServeHTTP(metadata, mustRequest(t, http.MethodGet, here+"/saml/metadata"))
	require.NoError(t, idp.RegisterSP("", metadata.Body.Bytes()))
	signedIn, err := testkit.SignInHandler(idp, mux, here+"/deep", mockidp.DefaultLogin)
	require.NoError(t, err)
	require.Equal(t, "/deep of "+mockidp.DefaultLogin, signedIn.Body)

	page := readmeMock(t, func(metadata []byte) (http.Handler, []byte) { return serviceFor(t, metadata) })
	require.Equal(t, "Hello, "+mockidp.DefaultLogin, page.Body)
	readmeHostile(t, func(idp *mockidp.Server) http.Handler {
		handler, metadata := serviceFor(t, idp.Metadata(""))
		require.NoError(t, idp.RegisterSP("", metadata))
		page, err := testkit.SignInHandler(idp, handler, "https://sp.example/login", mockidp.DefaultLogin)
		require.NoError(t, err)
		require.Equal(t, http.StatusOK, page.Status, "the good answer")
		return handler
	})
}

// serviceFor is a service provider that trusts an identity provider, and its metadata.
func serviceFor(t *testing.T, idpMetadata []byte) (http.Handler, []byte) {
	t.Helper()
	sp := spFor(t, idpMetadata)
	region, err := acs.NewRegion(acs.Config{SP: sp, Store: acs.NewMemoryStore(acs.MemoryConfig{}),
		Logger: slog.New(slog.DiscardHandler), OnLogin: func(w http.ResponseWriter, _ *http.Request, l *acs.Login) {
			fmt.Fprintf(w, "Hello, %s", l.Assertion.NameID().Value)
		}})
	require.NoError(t, err)
	mux := http.NewServeMux()
	region.Mount(mux, acs.Paths{Login: "/login"})
	metadata, err := sp.Metadata()
	require.NoError(t, err)
	return mux, metadata
}

func mustRequest(t *testing.T, method, to string) *http.Request {
	t.Helper()
	r, err := http.NewRequest(method, to, nil)
	require.NoError(t, err)
	return r
}

func spFor(t *testing.T, metadata []byte) *saml.ServiceProvider {
	t.Helper()
	idp, err := saml.ParseIdPMetadata(metadata)
	require.NoError(t, err)
	sp, err := saml.New(saml.Config{EntityID: "https://sp.example", ACS: []saml.Endpoint{{URL: "https://sp.example/acs"}}, IdP: idp})
	require.NoError(t, err)
	return sp
}

func unindent(s string) string {
	lines := strings.Split(s, "\n")
	for i := range lines {
		lines[i] = strings.TrimPrefix(lines[i], "\t")
	}
	return strings.TrimSpace(strings.Join(lines, "\n"))
}

// CHECKS.md has every rule of the verifier, in its order.
func TestPageListsEveryRule(t *testing.T) {
	page, err := os.ReadFile("../saml/CHECKS.md")
	require.NoError(t, err)
	idp := mockidp.New(mockidp.Config{})
	t.Cleanup(idp.Close)
	sp := spFor(t, idp.Metadata(""))
	metadata, err := sp.Metadata()
	require.NoError(t, err)
	require.NoError(t, idp.RegisterSP("", metadata))
	form, err := idp.IdPInitiated("", mockidp.DefaultLogin, "")
	require.NoError(t, err)
	report := sp.Explain([]byte(form.SAMLResponse), saml.VerifyOptions{ACS: "https://sp.example/acs", RequestIDs: []string{"_x"}, Unsolicited: true})
	require.NoError(t, report.Err)
	at := 0
	for _, check := range report.Checks {
		next := strings.Index(string(page)[at:], fmt.Sprintf("| %s |", check.Rule))
		require.GreaterOrEqual(t, next, 0, "%q, in this order", check.Rule)
		at += next
	}
}
