package peers_test

import (
	"encoding/json"
	"encoding/pem"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp"
	"github.com/meridian-saml/meridian/mockidp/testkit"
)

// newFederation is a mock with a federation that has an app of the mock, one of a tenant, one of Entra ID's kind, and
// generated entities. It returns the file of the federation's certificate.
func newFederation(t *testing.T, entities int) (*mockidp.Server, string) {
	t.Helper()
	idp := mockidp.New(mockidp.Config{Federation: mockidp.Federation{Entities: entities, Name: "Föderation <&\">"},
		Apps: []mockidp.App{{Label: "Zürich <&\">"}, {Label: "Entra", Profile: mockidp.Entra}}})
	t.Cleanup(idp.Close)
	_, err := idp.Tenant("campus")
	require.NoError(t, err)
	cert := filepath.Join(t.TempDir(), "federation.pem")
	block := &pem.Block{Type: "CERTIFICATE", Bytes: idp.FederationCertificate().Raw}
	require.NoError(t, os.WriteFile(cert, pem.EncodeToMemory(block), 0o600))
	return idp, cert
}

// verifyMetadata runs xmlsec1 on a document whose root has that name.
func verifyMetadata(t *testing.T, xmlsec, cert, root string, doc []byte) (string, error) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "metadata.xml")
	require.NoError(t, os.WriteFile(file, doc, 0o600))
	out, err := exec.Command(xmlsec, "--verify", "--enabled-key-data", "key-name",
		"--id-attr:ID", "urn:oasis:names:tc:SAML:2.0:metadata:"+root, "--pubkey-cert-pem", cert, file).CombinedOutput()
	return string(out), err
}

// TestXmlsecVerifiesTheMocksFederation verifies an aggregate of 10,000 entities, and the answers to queries.
func TestXmlsecVerifiesTheMocksFederation(t *testing.T) {
	xmlsec := testkit.RequireProgram(t, "peers", "xmlsec1")
	idp, cert := newFederation(t, 10_000)
	out, err := verifyMetadata(t, xmlsec, cert, "EntitiesDescriptor", idp.FederationMetadata())
	require.NoError(t, err, "%s", out)
	ids := idp.FederationEntityIDs()
	require.Len(t, ids, 10_004)
	for _, id := range []string{ids[0], ids[1], ids[2], ids[3], ids[4], ids[len(ids)-1]} {
		out, err := verifyMetadata(t, xmlsec, cert, "EntityDescriptor", queried(t, idp, id))
		assert.NoError(t, err, "%s: %s", id, out)
	}
	for _, kind := range []mockidp.FaultKind{mockidp.MetadataTampered, mockidp.MetadataOtherKey, mockidp.MetadataIdPKey} {
		require.NoError(t, idp.Inject(mockidp.Fault{Kind: kind, Count: 1}))
		out, err := verifyMetadata(t, xmlsec, cert, "EntityDescriptor", queried(t, idp, ids[0]))
		assert.Error(t, err, "%s: %s", kind, out)
	}
	for _, kind := range []mockidp.FaultKind{mockidp.MetadataOld, mockidp.MetadataExpired, mockidp.MetadataLongValidity} {
		require.NoError(t, idp.Inject(mockidp.Fault{Kind: kind, Count: 1}))
		out, err := verifyMetadata(t, xmlsec, cert, "EntityDescriptor", queried(t, idp, ids[0]))
		assert.NoError(t, err, "%s: signed by the federation: %s", kind, out)
	}
}

// queried returns the document about an entity.
func queried(t *testing.T, idp *mockidp.Server, id string) []byte {
	t.Helper()
	page := newPeerBrowser(t).open(idp.FederationQueryURL() + "entities/" + url.PathEscape(id))
	require.Equal(t, http.StatusOK, page.status, page.body)
	return []byte(page.body)
}

// TestSchemasOfTheMocksFederation validates both kinds of documents, with the extensions.
func TestSchemasOfTheMocksFederation(t *testing.T) {
	v := newSchemas(t).withMetadataExtensions(t)
	idp, _ := newFederation(t, 420)
	v.valid(t, "metadata", idp.FederationMetadata())
	v.valid(t, "metadata", queried(t, idp, idp.FederationEntityIDs()[0]))
}

// TestPysaml2QueriesTheMock asks the mock's metadata query service with pysaml2, which verifies the answers with
// xmlsec1.
func TestPysaml2QueriesTheMock(t *testing.T) {
	py := requirePysaml2(t)
	idp, cert := newFederation(t, 20)
	ids := idp.FederationEntityIDs()
	type answer struct {
		SSO, Error string
		Names      []string
		Categories []string
	}
	ask := func(t *testing.T, options []string, ids ...string) map[string]answer {
		t.Helper()
		cmd := exec.Command(py.python, "-B", "testdata/pysaml2/mdq.py", "--xmlsec", py.xmlsec, "--cert", cert)
		cmd.Args = append(append(append(cmd.Args, options...), idp.FederationQueryURL()), ids...)
		cmd.Env = append(os.Environ(), "TMPDIR="+t.TempDir())
		out, err := cmd.Output()
		require.NoError(t, err, "%s", out)
		var got map[string]answer
		require.NoError(t, json.Unmarshal(out, &got), "%s", out)
		return got
	}
	tenant, err := idp.Tenant("campus")
	require.NoError(t, err)
	for name, options := range map[string][]string{"SHA-1": nil, "percent-encoded": {"--quote"}} {
		t.Run(name, func(t *testing.T) {
			got := ask(t, options, append(ids, "https://idp-00021.example.org/metadata")...)
			apps := idp.Apps()
			assert.Equal(t, answer{SSO: idp.SSOURL(apps[0].ID), Names: []string{apps[0].Label},
				Categories: []string{"http://refeds.org/category/research-and-scholarship"}}, got[ids[0]])
			assert.Equal(t, idp.SSOURL(apps[1].ID), got[ids[1]].SSO, "of Entra's kind")
			assert.Equal(t, tenant.SSOURL(""), got[ids[2]].SSO)
			assert.Equal(t, "https://idp-00020.example.org/sso", got[ids[len(ids)-1]].SSO)
			assert.Contains(t, got["https://idp-00021.example.org/metadata"].Error, "404")
		})
	}
	for _, kind := range []mockidp.FaultKind{mockidp.MetadataTampered, mockidp.MetadataOtherKey, mockidp.MetadataIdPKey} {
		require.NoError(t, idp.Inject(mockidp.Fault{Kind: kind, Count: 1}))
		got := ask(t, nil, ids[0])
		assert.NotEmpty(t, got[ids[0]].Error, "%s", kind)
	}
}
