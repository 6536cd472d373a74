package examples_test

import (
	"fmt"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/mockidp"
	"github.com/meridian-saml/meridian/mockidp/hostile"
	"github.com/meridian-saml/meridian/saml"
)

// The code blocks of the README are the bodies of the functions below, so
// that they compile, and the test compares the texts.

func readmeServiceProvider(metadata []byte, mux *http.ServeMux,
	signedIn func(http.ResponseWriter, *http.Request, *acs.Login)) error {
	// readme: service provider
	idp, err := saml.ParseIdPMetadata(metadata) // from your IdP
	if err != nil {
		return err
	}
	sp, err := saml.New(saml.Config{
		EntityID: "https://us-east-1.signin.example/saml",
		ACS: []saml.Endpoint{ // ordered: the first is the default
			{URL: "https://us-east-1.signin.example/saml/acs", Region: "us-east-1"},
			{URL: "https://eu-central-1.signin.example/saml/acs", Region: "eu-central-1"},
		},
		IdP: idp,
	})
	if err != nil {
		return err
	}
	region, err := acs.NewRegion(acs.Config{
		SP: sp, Region: "eu-central-1", Store: acs.NewMemoryStore(acs.MemoryConfig{}), OnLogin: signedIn,
	})
	if err != nil {
		return err
	}
	region.Mount(mux, acs.Paths{Login: "/login", Metadata: "/metadata"})
	// readme: end
	return nil
}

func readmeMock(t *testing.T, spMetadata []byte, yourLoginRedirect func(idpMetadata []byte) string) url.Values {
	// readme: mock
	idp := mockidp.New(mockidp.Config{}) // one user, one app, on a port of its own
	t.Cleanup(idp.Close)
	require.NoError(t, idp.RegisterSP("", spMetadata)) // entity ID and ACS URLs, in order

	form, err := idp.Answer(yourLoginRedirect(idp.Metadata("")), mockidp.DefaultLogin)
	// readme: end
	require.NoError(t, err)
	return form.Values()
}

func readmeHostile() *mockidp.Server {
	// readme: hostile
	c := mockidp.Config{StandingMutations: []mockidp.StandingMutation{{ID: "A03/assertion"}}}
	hostile.Arm(&c)
	idp := mockidp.New(c)
	// readme: end
	return idp
}

var (
	readmeGo = regexp.MustCompile("(?s)```go\n(.*?)```")
	marked   = regexp.MustCompile(`(?s)// readme: [a-z ]+\n(.*?)\n\t// readme: end`)
)

func TestReadmeCompiles(t *testing.T) {
	readme, err := os.ReadFile("../README.md")
	require.NoError(t, err)
	source, err := os.ReadFile("readme_test.go")
	require.NoError(t, err)
	blocks, bodies := readmeGo.FindAllSubmatch(readme, -1), marked.FindAllSubmatch(source, -1)
	require.Len(t, bodies, 3)
	require.Len(t, blocks, len(bodies), "every Go block of the README is compiled here")
	for i := range bodies {
		require.Equal(t, unindent(string(bodies[i][1])), strings.TrimSpace(string(blocks[i][1])), "block %d of the README",
			i+1)
	}
}

// The functions do what the README says of them.
func TestReadmeWorks(t *testing.T) {
	idp := mockidp.New(mockidp.Config{})
	t.Cleanup(idp.Close)
	mux := http.NewServeMux()
	require.NoError(t, readmeServiceProvider(idp.Metadata(""), mux,
		func(http.ResponseWriter, *http.Request, *acs.Login) {}))
	_, pattern := mux.Handler(mustRequest(t, "POST", "https://eu-central-1.signin.example/saml/acs"))
	require.Equal(t, "/saml/acs", pattern)

	values := readmeMock(t, spMetadata(t), func(metadata []byte) string {
		request, err := spFor(t, metadata).NewAuthnRequest(saml.RequestOptions{})
		require.NoError(t, err)
		to, err := request.RedirectURL("state")
		require.NoError(t, err)
		return to
	})
	require.Equal(t, "state", values.Get("RelayState"))
	require.NotEmpty(t, values.Get("SAMLResponse"))

	attacker := readmeHostile()
	t.Cleanup(attacker.Close)
	sp := spFor(t, attacker.Metadata(""))
	metadata, err := sp.Metadata()
	require.NoError(t, err)
	require.NoError(t, attacker.RegisterSP("", metadata))
	form, err := attacker.IdPInitiated("", mockidp.DefaultLogin, "")
	require.NoError(t, err)
	_, err = sp.Verify([]byte(form.SAMLResponse), saml.VerifyOptions{ACS: form.URL, Unsolicited: true})
	require.ErrorContains(t, err, "AssertionCount")
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

func spMetadata(t *testing.T) []byte {
	t.Helper()
	other := mockidp.New(mockidp.Config{})
	t.Cleanup(other.Close)
	metadata, err := spFor(t, other.Metadata("")).Metadata()
	require.NoError(t, err)
	return metadata
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
