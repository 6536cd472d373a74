package mockidp_test

import (
	"crypto"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/beevik/etree"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp"
	"github.com/meridian-saml/meridian/saml"
)

// spCertificate returns a certificate for otherKey, made by another Server.
func spCertificate(t *testing.T) *x509.Certificate {
	t.Helper()
	return start(t, mockidp.Config{Key: otherKey()}).Certificate()
}

var (
	methods = []mockidp.EncryptionMethod{mockidp.AES128GCM, mockidp.AES192GCM, mockidp.AES256GCM, mockidp.AES128CBC,
		mockidp.AES192CBC, mockidp.AES256CBC}
	hashes     = []mockidp.Hash{"", mockidp.SHA1, mockidp.SHA256, mockidp.SHA384, mockidp.SHA512}
	transports = func() []mockidp.Encryption {
		out := []mockidp.Encryption{{KeyTransport: mockidp.InsecureRSA15}}
		for _, d := range hashes {
			out = append(out, mockidp.Encryption{KeyTransport: mockidp.RSAOAEPMGF1P, Digest: d})
			for _, m := range hashes {
				out = append(out, mockidp.Encryption{KeyTransport: mockidp.RSAOAEP, Digest: d, MGF: m})
			}
		}
		return out
	}()
	cryptoHash = map[mockidp.Hash]crypto.Hash{"": crypto.SHA1, mockidp.SHA1: crypto.SHA1, mockidp.SHA256: crypto.SHA256,
		mockidp.SHA384: crypto.SHA384, mockidp.SHA512: crypto.SHA512}
)

func TestEncryptedAssertions(t *testing.T) {
	conf := twoRegions()
	conf.Apps[0].EncryptionCertificate = spCertificate(t)
	idp := start(t, conf)
	sp := meridianSP(t, idp, func(c *saml.Config) {
		c.DecryptionKeys, c.InsecureAllowRSA15 = []crypto.Decrypter{otherKey()}, true
	})
	check := func(e mockidp.Encryption) {
		t.Helper()
		updateApp(t, idp, "idc", func(a *mockidp.App) { a.Encrypt = &e })
		form, err := idp.IdPInitiated("idc", alice, "")
		require.NoError(t, err)
		root := decode(t, form)
		assert.Nil(t, root.FindElement("//Assertion"), "the assertion is in the clear")
		assert.NotContains(t, string(must(base64.StdEncoding.DecodeString(form.SAMLResponse))), alice)
		inner := decrypt(t, root, e)
		assert.Equal(t, alice, text(t, inner, "./Subject/NameID"))
		assert.NotNil(t, inner.SelectElement("Signature"), "signed before it was encrypted")
		// Meridian shares no code with the writer. It verifies the signatures too.
		a, err := sp.Verify([]byte(form.SAMLResponse), saml.VerifyOptions{ACS: virginia, Unsolicited: true})
		require.NoError(t, err, "%+v", e)
		assert.Equal(t, alice, a.NameID().Value)
		xmlsecVerifies(t, idp, form)
	}
	for _, m := range methods {
		check(mockidp.Encryption{Method: m})
		check(mockidp.Encryption{Method: m, KeyBeside: true})
	}
	for _, e := range transports {
		check(e)
	}
}

// decrypt opens an EncryptedAssertion with the standard library only.
func decrypt(t *testing.T, root *etree.Element, e mockidp.Encryption) *etree.Element {
	t.Helper()
	octets := func(path string) []byte {
		return must(base64.StdEncoding.DecodeString(text(t, root, path)))
	}
	holder := "//EncryptedData/KeyInfo/EncryptedKey"
	if e.KeyBeside {
		holder = "//EncryptedAssertion/EncryptedKey"
	}
	var opts crypto.DecrypterOpts = &rsa.OAEPOptions{Hash: cryptoHash[e.Digest], MGFHash: cryptoHash[e.MGF]}
	if e.KeyTransport == mockidp.InsecureRSA15 {
		opts = nil
	}
	key, err := otherKey().Decrypt(nil, octets(holder+"/CipherData/CipherValue"), opts)
	require.NoError(t, err, "%+v", e)
	data := octets("//EncryptedData/CipherData/CipherValue")
	block := must(aes.NewCipher(key))
	method := attrOf(t, root, "//EncryptedData/EncryptionMethod", "Algorithm")
	assert.Contains(t, method, fmt.Sprintf("aes%d", len(key)*8))
	var plain []byte
	if strings.HasSuffix(method, "gcm") {
		plain, err = must(cipher.NewGCM(block)).Open(nil, data[:12], data[12:], nil)
		require.NoError(t, err)
	} else {
		plain = slices.Clone(data[16:])
		cipher.NewCBCDecrypter(block, data[:16]).CryptBlocks(plain, plain)
		plain = plain[:len(plain)-int(plain[len(plain)-1])]
	}
	doc := etree.NewDocument()
	require.NoError(t, doc.ReadFromBytes(plain))
	return doc.Root()
}

func TestEncryptionNeedsACertificate(t *testing.T) {
	conf := twoRegions()
	conf.Apps[0].Encrypt = &mockidp.Encryption{}
	idp := start(t, conf)
	_, err := idp.IdPInitiated("idc", alice, "")
	require.Error(t, err)
	assert.ErrorContains(t, err, "EncryptionCertificate")
	// Metadata contains one.
	sp := meridianSP(t, idp, func(c *saml.Config) {
		c.DecryptionKeys, c.EncryptionCertificate = []crypto.Decrypter{otherKey()}, spCertificate(t)
	})
	require.NoError(t, idp.RegisterSP("idc", must(sp.Metadata())))
	form, err := idp.IdPInitiated("idc", alice, "")
	require.NoError(t, err)
	assert.NotNil(t, decode(t, form).FindElement("//EncryptedAssertion"))
}

func TestInvalidEncryption(t *testing.T) {
	idp := start(t, twoRegions())
	ec := start(t, mockidp.Config{Key: ecdsaKey()}).Certificate()
	for name, f := range map[string]func(*mockidp.App){
		"method":        func(a *mockidp.App) { a.Encrypt = &mockidp.Encryption{Method: "x"} },
		"transport":     func(a *mockidp.App) { a.Encrypt = &mockidp.Encryption{KeyTransport: "x"} },
		"digest":        func(a *mockidp.App) { a.Encrypt = &mockidp.Encryption{Digest: "x"} },
		"mask function": func(a *mockidp.App) { a.Encrypt = &mockidp.Encryption{KeyTransport: mockidp.RSAOAEP, MGF: "x"} },
		"MGF of 1.0":    func(a *mockidp.App) { a.Encrypt = &mockidp.Encryption{MGF: mockidp.SHA256} },
		"digest of 1.5": func(a *mockidp.App) {
			a.Encrypt = &mockidp.Encryption{KeyTransport: mockidp.InsecureRSA15, Digest: mockidp.SHA1}
		},
		"ECDSA":           func(a *mockidp.App) { a.EncryptionCertificate = ec },
		"signature":       func(a *mockidp.App) { a.SignatureMethod = "x" },
		"nil certificate": func(a *mockidp.App) { a.RequestCertificates = []*x509.Certificate{nil} },
	} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, mockidp.ReasonConfig,
				reason(t, idp.UpdateApp("idc", func(a *mockidp.App) error { f(a); return nil })))
		})
	}
}

// meridianSP is Meridian's own service provider, for both Regions.
func meridianSP(t *testing.T, idp *mockidp.Server, f func(*saml.Config)) *saml.ServiceProvider {
	t.Helper()
	md, err := saml.ParseIdPMetadata(idp.Metadata(""))
	require.NoError(t, err)
	c := saml.Config{EntityID: entityID, IdP: md,
		ACS: []saml.Endpoint{{URL: virginia, Region: "us-east-1"}, {URL: frank, Region: "eu-central-1"}}}
	f(&c)
	sp, err := saml.New(c)
	require.NoError(t, err)
	return sp
}
