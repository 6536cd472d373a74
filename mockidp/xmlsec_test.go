package mockidp_test

import (
	"crypto"
	"encoding/base64"
	"encoding/pem"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp"
	"github.com/meridian-saml/meridian/mockidp/testkit"
)

func TestXmlsecVerifiesSignatures(t *testing.T) {
	xmlsec := testkit.RequireProgram(t, "peers", "xmlsec1")
	for kind, key := range map[string]crypto.Signer{"rsa": rsaKey(), "ecdsa": ecdsaKey()} {
		for name, sign := range signings {
			t.Run(kind+"/"+name, func(t *testing.T) {
				conf := twoRegions()
				conf.Key = key
				conf.Apps[0].Sign = sign
				conf.Apps[0].Attributes = []mockidp.Attribute{{Name: "tricky", Values: []string{" <&>\"'\r\n\t]]> é 漢 "}}}
				idp := start(t, conf)
				form, err := idp.IdPInitiated("idc", alice, "")
				require.NoError(t, err)
				raw := must(base64.StdEncoding.DecodeString(form.SAMLResponse))
				verify := xmlsecVerifier(t, xmlsec, idp.Certificate().Raw)
				const inResponse = "/*[local-name()='Response']/*[local-name()='Signature']"
				const inAssertion = "/*/*[local-name()='Assertion']/*[local-name()='Signature']"
				nodes := map[string][]string{"both": {inResponse, inAssertion}, "response": {inResponse},
					"assertion": {inAssertion}}[name]
				for _, node := range nodes {
					out, err := verify(raw, node)
					require.NoError(t, err, "%s", out)
					out, err = verify([]byte(strings.Replace(string(raw), ">"+alice+"<", ">mallory@example.com<", 1)), node)
					assert.Error(t, err, "a changed response passed: %s", out)
				}
			})
		}
	}
}

// xmlsecVerifier returns a function that verifies the signature at an XPath with the key of a certificate.
func xmlsecVerifier(t *testing.T, xmlsec string, der []byte) func(doc []byte, node string) ([]byte, error) {
	t.Helper()
	dir := t.TempDir()
	cert := filepath.Join(dir, "cert.pem")
	require.NoError(t, os.WriteFile(cert, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600))
	return func(doc []byte, node string) ([]byte, error) {
		file := filepath.Join(dir, "response.xml")
		require.NoError(t, os.WriteFile(file, doc, 0o600))
		return exec.Command(xmlsec, "--verify", "--enabled-key-data", "key-name",
			"--id-attr:ID", "urn:oasis:names:tc:SAML:2.0:protocol:Response",
			"--id-attr:ID", "urn:oasis:names:tc:SAML:2.0:assertion:Assertion",
			"--id-attr:ID", "urn:oasis:names:tc:SAML:2.0:protocol:LogoutRequest",
			"--id-attr:ID", "urn:oasis:names:tc:SAML:2.0:protocol:LogoutResponse",
			"--node-xpath", node, "--pubkey-cert-pem", cert, file).CombinedOutput()
	}
}

// xmlsecVerifies verifies the signature of a Response.
func xmlsecVerifies(t *testing.T, idp *mockidp.Server, form mockidp.Form) {
	t.Helper()
	xmlsecVerifiesWith(t, idp.Certificate().Raw, form)
}

func xmlsecVerifiesWith(t *testing.T, der []byte, form mockidp.Form) {
	t.Helper()
	verify := xmlsecVerifier(t, testkit.RequireProgram(t, "peers", "xmlsec1"), der)
	out, err := verify(must(base64.StdEncoding.DecodeString(form.SAMLResponse)),
		"/*[local-name()='Response']/*[local-name()='Signature']")
	require.NoError(t, err, "%s", out)
}

func TestXmlsecVerifiesLogout(t *testing.T) {
	xmlsec := testkit.RequireProgram(t, "peers", "xmlsec1")
	for kind, key := range map[string]crypto.Signer{"rsa": rsaKey(), "ecdsa": ecdsaKey()} {
		t.Run(kind, func(t *testing.T) {
			conf := twoRegions()
			conf.Key = key
			a := &conf.Apps[0]
			a.LogoutURL, a.LogoutBinding, a.InsecureUnsignedLogout = virginia, mockidp.LogoutPOST, true
			idp := start(t, conf)
			verify := xmlsecVerifier(t, xmlsec, idp.Certificate().Raw)
			for _, doc := range logoutMessages(t, idp) {
				out, err := verify(doc, "/*/*[local-name()='Signature']")
				require.NoError(t, err, "%s", out)
				out, err = verify([]byte(strings.Replace(string(doc), `Version="2.0"`, `Version="2.1"`, 1)),
					"/*/*[local-name()='Signature']")
				assert.Error(t, err, "a changed message passed: %s", out)
			}
		})
	}
}
