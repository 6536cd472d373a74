package peers_test

import (
	"crypto/x509"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/beevik/etree"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/mockidp"
	"github.com/meridian-saml/meridian/saml"
)

// affiliationID is an affiliation that the deployment is a member of.
const affiliationID = "https://affiliation.example/"

// askFully begins every sign-in with all options of a request. The parameter user is
// the requested Subject, binding the binding, and login_hint is passed on.
func askFully(sp *saml.Config, cfg *acs.Config) {
	describeFully(sp)
	sp.SPNameQualifiers = []string{affiliationID}
	own := sp.EntityID
	cfg.LoginOptions = func(r *http.Request) acs.LoginOptions {
		return acs.LoginOptions{
			Binding: map[string]string{"post": saml.HTTPPost}[r.FormValue("binding")],
			Subject: &saml.NameID{Value: r.FormValue("user"), Format: mockidp.NameIDEmail},
			NameIDPolicy: &saml.NameIDPolicy{
				Format: mockidp.NameIDEmail, AllowCreate: true, SPNameQualifier: own,
			},
			ProviderName: "R&D <Portal>", AttributeConsumingServiceIndex: 1,
			Scoping: &saml.Scoping{
				ProxyCount: new(uint(1)), IDPList: []saml.IDPEntry{{ProviderID: "https://proxied.example/", Name: "Ä & B"}},
				RequesterIDs: []string{"https://behind.example/"},
			},
			Extensions: []string{`<x:Type xmlns:x="urn:example:x" b="2" a="1">public &amp; more</x:Type>`},
			Query:      acs.Hints(r, "login_hint"),
		}
	}
}

// TestFullRequests signs in at other projects' identity providers with requests that
// have every option. Those that verify signatures do so over all of it. Some answer
// about another user than the Subject, so the service provider must compare.
func TestFullRequests(t *testing.T) {
	for name, p := range map[string]struct {
		start   func(*testing.T, [][]byte) peer
		another saml.Reason // of its answer about a Subject that isn't its user
	}{
		"crewjam": {startCrewjam, saml.ReasonStatus},
		"pysaml2": {func(t *testing.T, m [][]byte) peer {
			return requirePysaml2(t).start(t, signBoth, m)
		}, saml.ReasonSubject},
		"simplesamlphp": {func(t *testing.T, m [][]byte) peer {
			return startSimpleSAMLphp(t, requireSimpleSAMLphp(t), signBoth, "", m)
		}, saml.ReasonSubject},
	} {
		t.Run(name, func(t *testing.T) {
			d := deploy(t, askFully)
			d.trust(t, p.start(t, [][]byte{d.metadata(t)}).metadata)
			for _, binding := range []string{"redirect", "post"} {
				answerTo := func(user string) delivery {
					b := newPeerBrowser(t)
					q := url.Values{"user": {user}, "binding": {binding}, "login_hint": {"a+b@example.com"}}
					request := b.open(d.url[awayRegion]+"/login?"+q.Encode()).message(t, "SAMLRequest")
					to, err := url.Parse(request.to)
					require.NoError(t, err)
					require.Equal(t, []string{"a+b@example.com"}, to.Query()["login_hint"])
					return d.deliver(b, b.carry(request).message(t, "SAMLResponse"))
				}
				got := answerTo(peerUser)
				require.True(t, got.verdict.Accepted, "%s: %+v", binding, got.verdict)
				assert.Equal(t, peerUser, got.login.Assertion.NameID().Value)
				got = answerTo("bob@example.com")
				assert.Equal(t, http.StatusForbidden, got.status)
				assert.Equal(t, string(p.another), got.verdict.Reason)
			}
		})
	}
}

// TestFullRequestsAreRead compares what other projects' parsers read in a request with
// what was asked.
func TestFullRequestsAreRead(t *testing.T) {
	idp, err := saml.NewIdP(saml.IdPConfig{
		EntityID: "https://idp.example/", Certificates: []*x509.Certificate{peerIdPKey().cert},
		SSO: []saml.SSOService{{Binding: saml.HTTPRedirect, URL: "https://idp.example/sso"}},
	})
	require.NoError(t, err)
	sp, err := saml.New(saml.Config{
		EntityID: "https://sp.example/saml", SPNameQualifiers: []string{affiliationID},
		ACS: []saml.Endpoint{{URL: "https://sp.example/acs"}}, IdP: idp,
		AttributeConsumingServices: []saml.AttributeConsumingService{{
			Index: 7, Names: []saml.LocalizedText{{Lang: "en", Text: "Small"}},
			Attributes: []saml.RequestedAttribute{{Name: "urn:oid:2.5.4.3"}},
		}},
	})
	require.NoError(t, err)
	request, err := sp.NewAuthnRequest(saml.RequestOptions{
		Subject: &saml.NameID{
			Value: "a<b>&c", Format: mockidp.NameIDPersistent, NameQualifier: "https://idp.example/",
			SPNameQualifier: affiliationID, SPProvidedID: `"ours"`,
		},
		NameIDPolicy: &saml.NameIDPolicy{Format: mockidp.NameIDPersistent, SPNameQualifier: affiliationID},
		ProviderName: `Wiki & "Docs"`, AttributeConsumingServiceIndex: 7,
		Scoping: &saml.Scoping{
			ProxyCount: new(uint(2)), RequesterIDs: []string{"https://r1.example/", "https://r2.example/"},
			IDPList: []saml.IDPEntry{{ProviderID: "https://p1.example/"}, {ProviderID: "https://p2.example/?a&b"}},
		},
		Extensions: []string{`<x:Type xmlns:x="urn:example:x">a &amp; b</x:Type>`, `<y xmlns="urn:example:y"/>`},
	})
	require.NoError(t, err)
	to, err := request.RedirectURL("")
	require.NoError(t, err)
	doc := etree.NewDocument()
	doc.SetRoot(peerPage{location: to}.message(t, "SAMLRequest").request(t))
	file := filepath.Join(t.TempDir(), "request.xml")
	require.NoError(t, doc.WriteToFile(file))

	const want = `{
		"subject": ["a<b>&c", "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent", "https://idp.example/",
			"https://affiliation.example/", "\"ours\""],
		"policy": ["urn:oasis:names:tc:SAML:2.0:nameid-format:persistent", "https://affiliation.example/"],
		"idps": ["https://p1.example/", "https://p2.example/?a&b"], "count": "2",
		"requesters": ["https://r1.example/", "https://r2.example/"],
		"name": "Wiki & \"Docs\"", "service": "7",
		"extensions": [["urn:example:x", "Type", "a & b"], ["urn:example:y", "y", %s]]
	}`
	t.Run("schema", func(t *testing.T) {
		xml, err := os.ReadFile(file)
		require.NoError(t, err)
		newSchemas(t).valid(t, "protocol", xml)
	})
	t.Run("SimpleSAMLphp", func(t *testing.T) {
		out, err := exec.Command(requireSimpleSAMLphp(t), "testdata/read_request.php", file).Output()
		require.NoError(t, err)
		assert.JSONEq(t, fmt.Sprintf(want, `""`), string(out))
	})
	t.Run("pysaml2", func(t *testing.T) {
		out, err := exec.Command(requirePysaml2(t).python, "-B", "testdata/read_request.py", file).Output()
		require.NoError(t, err)
		assert.JSONEq(t, fmt.Sprintf(want, "null"), string(out))
	})
}
