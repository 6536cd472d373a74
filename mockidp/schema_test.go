package mockidp_test

import (
	"bytes"
	"crypto"
	"encoding/base64"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/beevik/etree"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp"
	"github.com/meridian-saml/meridian/mockidp/testkit"
)

// schemaFolder is where Debian's simplesamlphp installs the schemas of SAML 2.0 and those that they import.
const schemaFolder = "/usr/share/simplesamlphp/schemas"

// validator returns a function that returns the errors of a document, or "".
func validator(t *testing.T) func(schema string, doc []byte) string {
	t.Helper()
	php := testkit.RequireProgram(t, "peers", "php")
	testkit.RequireFile(t, "peers", schemaFolder)
	file := filepath.Join(t.TempDir(), "document.xml")
	const script = `libxml_use_internal_errors(true); $d = new DOMDocument();
		$ok = $d->load($argv[2], LIBXML_NONET) && $d->schemaValidate($argv[1]);
		foreach (libxml_get_errors() as $e) { echo $e->line, ": ", $e->message; }
		exit($ok ? 0 : 1);`
	return func(schema string, doc []byte) string {
		require.NoError(t, os.WriteFile(file, doc, 0o600))
		out, err := exec.Command(php, "-r", script, "--", filepath.Join(schemaFolder, "saml-schema-"+schema+"-2.0.xsd"),
			file).CombinedOutput()
		if err == nil {
			return ""
		}
		return string(out) + err.Error()
	}
}

func TestSchemas(t *testing.T) {
	invalid := validator(t)
	conf := catalogue()
	conf.Users[0].SecondFactor = "1"
	conf.Apps[0].EncryptionCertificate = spCertificate(t)
	conf.Apps[0].GroupAttribute = &mockidp.GroupAttribute{}
	conf.Apps[0].SessionLifetime = 1
	idp := start(t, conf)
	require.NotEmpty(t, invalid("metadata", []byte(strings.Replace(string(idp.Metadata("")), "entityID=", "entity=", 1))),
		"nothing is invalid: this test proves nothing")
	assert.Empty(t, invalid("metadata", idp.Metadata("")))
	_, err := idp.AddKey(crypto.Signer(ecdsaKey()), nil)
	require.NoError(t, err)
	assert.Empty(t, invalid("metadata", idp.Metadata("")))

	valid := func(what, xml string) {
		t.Helper()
		form, err := idp.Answer(redirect(idp, xml, ""), alice)
		require.NoError(t, err)
		assert.Empty(t, invalid("protocol", must(base64.StdEncoding.DecodeString(form.SAMLResponse))), what)
	}
	for _, sign := range signings {
		for _, e := range []*mockidp.Encryption{nil, {}, {KeyBeside: true},
			{KeyTransport: mockidp.RSAOAEP, Digest: mockidp.SHA256}} {
			// No MGF: the schema of XML Encryption 1.1 isn't installed.
			updateApp(t, idp, "", func(a *mockidp.App) { a.Sign, a.Encrypt, a.OmitKeyInfo = sign, e, e != nil })
			valid("response", request())
		}
	}
	valid("context", wanting("minimum", mockidp.MultiFactor))
	valid("no context", wanting("exact", "x"))
	require.NoError(t, idp.QueueError("",
		mockidp.Status{Code: mockidp.StatusRequester, SubCode: mockidp.StatusRequestUnsupported, Message: "<&>"}))
	valid("queued error", request())
	for _, binding := range []mockidp.LogoutBinding{mockidp.LogoutRedirect, mockidp.LogoutPOST} {
		updateApp(t, idp, "", func(a *mockidp.App) {
			a.LogoutURL, a.LogoutBinding, a.InsecureUnsignedLogout = virginia+"?a=1&b=2", binding, true
		})
		assert.Empty(t, invalid("metadata", idp.Metadata("")))
		for _, doc := range logoutMessages(t, idp) {
			assert.Empty(t, invalid("protocol", doc), "%s", doc)
		}
	}
	updateApp(t, idp, "", func(a *mockidp.App) { a.IdentityCenter, a.Profile, a.Issuer = nil, mockidp.Entra, "" })
	valid("Entra", request())
	doc := etree.NewDocument()
	require.NoError(t, doc.ReadFromBytes(bytes.TrimPrefix(idp.Metadata(""), []byte("\xef\xbb\xbf"))))
	for _, role := range doc.FindElements("//RoleDescriptor") { // the schemas of WS-Federation aren't installed
		doc.Root().RemoveChild(role)
	}
	assert.Empty(t, invalid("metadata", must(doc.WriteToBytes())))
}

// Messages by SOAP, and the metadata that lists their addresses, are valid by the schemas.
func TestSchemasOfMessagesBySOAP(t *testing.T) {
	invalid := validator(t)
	idp := start(t, staff())
	asks := addSOAPSP(t, idp)
	asks.signIn(newBrowser(t, idp))
	_, err := asks.SendSOAPLogoutRequest(t.Context(), must(asks.soapRequest(nil)))
	require.NoError(t, private(err))
	asks.signIn(newBrowser(t, idp))
	_, err = idp.Logout(t.Context(), alice)
	require.NoError(t, err)
	sp := addArtifactSP(t, idp, mail, func(a *mockidp.App) {
		a.AttributeQueries, a.LogoutSOAPURL, a.Sign = true, wiki, mockidp.SignArtifactResponse
	})
	f := sp.ask(t)
	for range 2 {
		_, _ = sp.resolve(t, f)
	}
	for _, name := range []string{alice, "unknown"} {
		_, _ = sp.QueryAttributes(t.Context(), queried(name))
	}
	assert.Empty(t, invalid("metadata", idp.Metadata(sp.app)))
	roots := map[string]int{}
	for _, m := range idp.Messages() {
		if m.Direction == mockidp.Sent {
			assert.Empty(t, invalid("protocol", m.XML), "%s", m.XML)
			roots[rootOf(t, m.XML)]++
		}
	}
	assert.Equal(t, map[string]int{"LogoutRequest": 1, "LogoutResponse": 1, "ArtifactResponse": 2, "Response": 5}, roots)
}
