package attack_test

import (
	"crypto"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rsa"
	"encoding/base64"
	"encoding/pem"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/beevik/etree"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp/attack"
	"github.com/meridian-saml/meridian/mockidp/testkit"
)

const (
	inResponse  = "/*[local-name()='Response']/*[local-name()='Signature']"
	inAssertion = "/*/*[local-name()='Assertion']/*[local-name()='Signature']"
)

// The refusal of a case is conclusive only if its twin is valid. So another
// implementation verifies the twins.
func TestXmlsecVerifiesTheTwins(t *testing.T) {
	xmlsec := testkit.RequireProgram(t, "peers", "xmlsec1")
	for _, kind := range []attack.KeyKind{attack.RSA, attack.ECDSA, attack.RSAExponent3} {
		for _, mode := range []attack.Sign{attack.SignAssertion, attack.SignResponse, attack.SignBoth} {
			t.Run(kind.String()+"/"+mode.String(), func(t *testing.T) {
				dir := t.TempDir()
				var files []string
				for _, c := range attack.Cases() {
					n := c.TwinNeeds()
					mine := n.Key == kind || n.Key == attack.AnyKey && kind != attack.RSAExponent3
					// xmlsec1 decrypts and verifies by different commands, and some
					// versions do not support PSS.
					if n.Encrypted || c.Row() == "B35" || !mine || !slices.Contains(n.Modes(), mode) {
						continue
					}
					n.Key = kind
					p := params(c, n)
					p.Sign, p.NoCertificate = mode, false
					m, err := c.Twin(p)
					require.NoError(t, err, c.ID)
					file := filepath.Join(dir, strings.ReplaceAll(c.ID, "/", "-")+".xml")
					require.NoError(t, os.WriteFile(file, m.XML, 0o600))
					files = append(files, file)
				}
				require.NotEmpty(t, files)
				cert := filepath.Join(dir, "cert.pem")
				block := &pem.Block{Type: "CERTIFICATE", Bytes: certificates()[keyFile(kind)]}
				require.NoError(t, os.WriteFile(cert, pem.EncodeToMemory(block), 0o600))
				nodes := map[attack.Sign][]string{
					attack.SignBoth: {inResponse, inAssertion}, attack.SignResponse: {inResponse}, attack.SignAssertion: {inAssertion},
				}[mode]
				for _, node := range nodes {
					args := []string{
						"--verify", "--enabled-key-data", "key-name",
						"--id-attr:ID", "urn:oasis:names:tc:SAML:2.0:protocol:Response",
						"--id-attr:ID", "urn:oasis:names:tc:SAML:2.0:assertion:Assertion",
						"--node-xpath", node, "--pubkey-cert-pem", cert,
					}
					out, err := exec.Command(xmlsec, append(args, files...)...).CombinedOutput()
					require.NoError(t, err, "%s", out)
				}
			})
		}
	}
}

// The same for metadata that a publisher signs.
func TestXmlsecVerifiesPublishedMetadata(t *testing.T) {
	xmlsec := testkit.RequireProgram(t, "peers", "xmlsec1")
	dir, verified := t.TempDir(), 0
	cert := filepath.Join(dir, "cert.pem")
	block := &pem.Block{Type: "CERTIFICATE", Bytes: certificates()["publisher-rsa.pem"]}
	require.NoError(t, os.WriteFile(cert, pem.EncodeToMemory(block), 0o600))
	seen := map[string]bool{}
	verify := func(id string, document []byte) {
		if seen[string(document)] {
			return
		}
		seen[string(document)] = true
		file := filepath.Join(dir, "metadata.xml")
		require.NoError(t, os.WriteFile(file, document, 0o600))
		out, err := exec.Command(xmlsec, "--verify", "--enabled-key-data", "key-name",
			"--id-attr:ID", "urn:oasis:names:tc:SAML:2.0:metadata:EntitiesDescriptor",
			"--pubkey-cert-pem", cert, file).CombinedOutput()
		require.NoError(t, err, "%s: %s", id, out)
		verified++
	}
	for _, c := range attack.MetadataCases() {
		if len(c.Pinned) == 0 {
			continue
		}
		twin, err := c.Twin(metadataParams())
		require.NoError(t, err, c.ID)
		verify("the twin of "+c.ID, twin)
		if c.Outcome.Accepted() {
			document, err := c.Make(metadataParams())
			require.NoError(t, err, c.ID)
			verify(c.ID, document)
		}
	}
	require.Greater(t, verified, 10)
}

const (
	xenc   = "http://www.w3.org/2001/04/xmlenc#"
	xenc11 = "http://www.w3.org/2009/xmlenc11#"
)

// TestEncryptionIsRight decrypts the cases that are to be accepted with the standard
// library, which the encryption here does not use for RSA.
func TestEncryptionIsRight(t *testing.T) {
	done := 0
	for _, c := range attack.Cases() {
		if !c.Needs.Encrypted || !c.Outcome.Accepted() {
			continue
		}
		t.Run(c.ID, func(t *testing.T) {
			doc := etree.NewDocument()
			require.NoError(t, doc.ReadFromBytes(makeIt(t, c).XML))
			data := doc.FindElement("//EncryptedData")
			require.NotNil(t, data)
			keys := doc.FindElements("//EncryptedKey")
			key := decryptKey(t, keys[len(keys)-1])
			plain := decrypt(t, data, key)
			inner := etree.NewDocument()
			require.NoError(t, inner.ReadFromBytes(plain))
			require.Contains(t, []string{"Assertion", "NameID", "Attribute"}, inner.Root().Tag)
		})
		done++
	}
	require.Greater(t, done, 20)
}

func algorithm(el *etree.Element) string { return el.SelectAttrValue("Algorithm", "") }

func cipherValue(t *testing.T, el *etree.Element) []byte {
	t.Helper()
	value, err := base64.StdEncoding.DecodeString(el.FindElement("./CipherData/CipherValue").Text())
	require.NoError(t, err)
	return value
}

func decryptKey(t *testing.T, el *etree.Element) []byte {
	t.Helper()
	method := el.SelectElement("EncryptionMethod")
	value := cipherValue(t, el)
	if algorithm(method) == xenc+"rsa-1_5" {
		//lint:ignore SA1019 an attack uses it
		key, err := rsa.DecryptPKCS1v15(nil, spKey(), value)
		require.NoError(t, err)
		return key
	}
	opts := &rsa.OAEPOptions{Hash: crypto.SHA1, MGFHash: crypto.SHA1}
	if d := method.SelectElement("DigestMethod"); d != nil {
		opts.Hash = map[string]crypto.Hash{
			"http://www.w3.org/2000/09/xmldsig#sha1": crypto.SHA1, xenc + "sha256": crypto.SHA256,
			"http://www.w3.org/2001/04/xmldsig-more#sha384": crypto.SHA384, xenc + "sha512": crypto.SHA512,
		}[algorithm(d)]
	}
	if m := method.SelectElement("MGF"); m != nil {
		opts.MGFHash = map[string]crypto.Hash{
			"mgf1sha1": crypto.SHA1, "mgf1sha256": crypto.SHA256, "mgf1sha384": crypto.SHA384, "mgf1sha512": crypto.SHA512,
		}[strings.TrimPrefix(algorithm(m), xenc11)]
	}
	key, err := spKey().Decrypt(nil, value, opts)
	require.NoError(t, err)
	return key
}

func decrypt(t *testing.T, data *etree.Element, key []byte) []byte {
	t.Helper()
	block, err := aes.NewCipher(key)
	require.NoError(t, err)
	value := cipherValue(t, data)
	method := algorithm(data.SelectElement("EncryptionMethod"))
	require.Contains(t, method, map[int]string{16: "128", 24: "192", 32: "256"}[len(key)])
	if strings.HasSuffix(method, "gcm") {
		gcm, err := cipher.NewGCM(block)
		require.NoError(t, err)
		plain, err := gcm.Open(nil, value[:12], value[12:], nil)
		require.NoError(t, err)
		return plain
	}
	plain := value[16:]
	cipher.NewCBCDecrypter(block, value[:16]).CryptBlocks(plain, plain)
	return plain[:len(plain)-int(plain[len(plain)-1])]
}

// xmlsec1 decrypts those that all its versions support.
func TestXmlsecDecrypts(t *testing.T) {
	xmlsec := testkit.RequireProgram(t, "peers", "xmlsec1")
	for _, id := range []string{
		"E01/allowed-128", "E01/allowed-192", "E01/allowed-256", "E02/allowed", "E09/128-gcm", "E09/192-gcm",
		"E10/sha1-named", "E12/id-used", "E11/recipient-lies", "E08/namespace-context",
	} {
		t.Run(id, func(t *testing.T) {
			all := attack.Cases()
			c := all[slices.IndexFunc(all, func(c attack.Case) bool { return c.ID == id })]
			dir := t.TempDir()
			file, key := filepath.Join(dir, "response.xml"), testdata+"/keys/sp-rsa.pem"
			require.NoError(t, os.WriteFile(file, makeIt(t, c).XML, 0o600))
			out, err := exec.Command(xmlsec, "--decrypt", "--privkey-pem", key, file).Output()
			require.NoError(t, err)
			require.Contains(t, string(out), ">alice@example.com</saml2:NameID>")
		})
	}
}
