package saml_test

import (
	"crypto"
	"encoding/pem"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp/testkit"
	"github.com/meridian-saml/meridian/saml"
)

// TestXmlsecEncrypts decrypts assertions that another program encrypted. The newer
// name of RSA-OAEP, and the older one with another digest than SHA-1, came after the
// version of xmlsec1 that most have; where it can't, the case is left out and said
// so.
func TestXmlsecEncrypts(t *testing.T) {
	xmlsec := testkit.RequireProgram(t, "peers", "xmlsec1")
	dir := t.TempDir()
	cert := filepath.Join(dir, "sp.pem")
	require.NoError(
		t,
		os.WriteFile(
			cert,
			pem.EncodeToMemory(
				&pem.Block{Type: "CERTIFICATE", Bytes: certificate(t, keys().other, time.Now().Add(time.Hour)).Raw},
			),
			0o600,
		),
	)
	const gcm, cbc = "http://www.w3.org/2009/xmlenc11#aes%d-gcm", xenc + "aes%d-cbc"
	const sha256, sha1 = `<ds:DigestMethod Algorithm="` + xenc +
		`sha256"/>`, `<ds:DigestMethod Algorithm="http://www.w3.org/2000/09/xmldsig#sha1"/>`
	const label = `<xenc:OAEPparams>bGFiZWw=</xenc:OAEPparams>`
	const oaep11 = `http://www.w3.org/2009/xmlenc11#rsa-oaep`
	for _, c := range []struct {
		name                string
		data                string
		bits                int
		transport, params   string
		optional            bool
		aroundOnly, looseRS bool
	}{
		{name: "AES-128-GCM", data: gcm, bits: 128, transport: mgf1p},
		{name: "AES-192-GCM", data: gcm, bits: 192, transport: mgf1p},
		{name: "AES-256-GCM", data: gcm, bits: 256, transport: mgf1p},
		{name: "AES-128-CBC", data: cbc, bits: 128, transport: mgf1p, aroundOnly: true},
		{name: "AES-192-CBC", data: cbc, bits: 192, transport: mgf1p, aroundOnly: true},
		{name: "AES-256-CBC", data: cbc, bits: 256, transport: mgf1p, aroundOnly: true},
		{name: "OAEP with SHA-1 by name", data: gcm, bits: 256, transport: mgf1p, params: sha1},
		{name: "OAEP with a label", data: gcm, bits: 256, transport: mgf1p, params: label},
		{name: "OAEP with SHA-256", data: gcm, bits: 256, transport: mgf1p, params: sha256, optional: true},
		{name: "OAEP of XML Encryption 1.1", data: gcm, bits: 256, transport: oaep11, params: sha256, optional: true},
		{
			name: "OAEP of XML Encryption 1.1, MGF1 with SHA-256", data: gcm, bits: 256, transport: oaep11,
			params: sha256 + `<xenc11:MGF Algorithm="http://www.w3.org/2009/xmlenc11#mgf1sha256"/>`, optional: true,
		},
		{name: "RSA 1.5", data: gcm, bits: 256, transport: rsa15, looseRS: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			template := filepath.Join(t.TempDir(), "template.xml")
			require.NoError(
				t,
				os.WriteFile(
					template,
					[]byte(fmt.Sprintf(`<xenc:EncryptedData xmlns:xenc="%s" Type="%sElement"><xenc:EncryptionMethod Algorithm="%s"/>`+
						`<ds:KeyInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><xenc:EncryptedKey><xenc:EncryptionMethod Algorithm="%s" xmlns:xenc11="http://www.w3.org/2009/xmlenc11#">%s</xenc:EncryptionMethod>`+
						`<xenc:CipherData><xenc:CipherValue/></xenc:CipherData></xenc:EncryptedKey></ds:KeyInfo><xenc:CipherData><xenc:CipherValue/></xenc:CipherData></xenc:EncryptedData>`,
						xenc, xenc, fmt.Sprintf(c.data, c.bits), c.transport, c.params)),
					0o600,
				),
			)
			encrypt := func(assertion string) string {
				in, out := filepath.Join(t.TempDir(), "in.xml"), filepath.Join(t.TempDir(), "out.xml")
				if !strings.Contains(assertion, "xmlns:saml=") { // in the Response it needs none
					assertion = strings.Replace(
						assertion,
						"<saml:Assertion",
						`<saml:Assertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion"`,
						1,
					)
				}
				require.NoError(
					t,
					os.WriteFile(
						in,
						[]byte(
							`<saml:EncryptedAssertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion">`+assertion+`</saml:EncryptedAssertion>`,
						),
						0o600,
					),
				)
				said, err := exec.Command(xmlsec, "--encrypt", "--pubkey-cert-pem", cert, "--session-key",
					fmt.Sprintf("aes-%d", c.bits),
					"--xml-data", in, "--node-name", "urn:oasis:names:tc:SAML:2.0:assertion:Assertion", "--output", out, template).
					CombinedOutput()
				if err != nil && c.optional {
					testkit.Skip(t, fmt.Sprintf("this xmlsec1 can't: %.300s", said))
				}
				require.NoError(t, err, "%s", said)
				xml, err := os.ReadFile(out)
				require.NoError(t, err)
				require.NotContains(t, string(xml), "alice")
				return strings.TrimPrefix(string(xml), `<?xml version="1.0"?>`)
			}
			sp := newSP(
				t,
				func(c *saml.Config) { c.DecryptionKeys = []crypto.Decrypter{keys().idp, keys().other} },
				func(cfg *saml.Config) { cfg.InsecureAllowRSA15 = c.looseRS },
			)
			docs := []doc{{SignResponse: true, UnsignedAssertion: true}, {SignResponse: true}}
			if !c.aroundOnly {
				docs = append(docs, doc{})
			}
			for _, d := range docs {
				d.Encrypt = encrypt
				a, err := sp.Verify(d.base64(t), unsolicited)
				require.NoError(t, err)
				require.Equal(t, "alice@example.com", a.NameID().Value)
			}
			if c.aroundOnly {
				_, err := sp.Verify(doc{Encrypt: encrypt}.base64(t), unsolicited)
				requireReason(t, saml.ReasonAlgorithm, err)
				sp = newSP(t, allowCBC, func(c *saml.Config) { c.DecryptionKeys = []crypto.Decrypter{keys().other} })
				_, err = sp.Verify(doc{Encrypt: encrypt}.base64(t), unsolicited)
				require.NoError(t, err)
			}
		})
	}
}
