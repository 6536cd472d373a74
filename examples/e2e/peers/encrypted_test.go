package peers_test

import (
	"bytes"
	"crypto"
	"crypto/rsa"
	"encoding/base64"
	"io"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/saml"
)

// The algorithms that peers encrypt with (XML Encryption 1.1, 5.1).
const (
	tripleDES = "http://www.w3.org/2001/04/xmlenc#tripledes-cbc"
	aes128CBC = "http://www.w3.org/2001/04/xmlenc#aes128-cbc"
	aes256GCM = "http://www.w3.org/2009/xmlenc11#aes256-gcm"
)

// TestSimpleSAMLphpEncrypts signs in with SimpleSAMLphp, which encrypts with
// AES-CBC: that is accepted inside the Response's signature, and where there is
// none only if the configuration allows it.
func TestSimpleSAMLphpEncrypts(t *testing.T) {
	php := requireSimpleSAMLphp(t)
	for _, sign := range []string{signResponse, signAssertion, signBoth} {
		t.Run("signed "+sign, func(t *testing.T) {
			checkEncrypting(t, sign, aes128CBC, func(t *testing.T, spMetadata [][]byte) peer {
				return startSimpleSAMLphp(t, php, sign, "assertion", spMetadata)
			})
		})
	}
	for _, encrypt := range []string{"nameid", "assertion,nameid"} {
		t.Run("encrypted "+encrypt, func(t *testing.T) {
			d, _ := deployEncrypted(t, func(*saml.Config, *acs.Config) {})
			p := startSimpleSAMLphp(t, php, signBoth, encrypt, [][]byte{d.metadata(t)})
			p.cipher = aes128CBC
			d.trust(t, p.metadata)
			checkSignIn(t, p, d, homeRegion, "/login")
			checkSignIn(t, p, d, awayRegion, "/login")
		})
	}
}

// TestPysaml2Encrypts signs in with pysaml2, which encrypts with xmlsec1: with
// 3DES, unless it is configured otherwise.
func TestPysaml2Encrypts(t *testing.T) {
	py := requirePysaml2(t)
	for sign, options := range map[string][]string{
		signAssertion: {"--encrypt", "aes256-gcm"},
		signBoth:      {"--encrypt", "aes256-gcm", "--inherit-namespaces"},
	} {
		t.Run("signed "+sign, func(t *testing.T) {
			checkEncrypting(t, sign, aes256GCM, func(t *testing.T, spMetadata [][]byte) peer {
				return py.start(t, sign, spMetadata, options...)
			})
		})
	}
	t.Run("CBC signed twice", func(t *testing.T) { checkSignedTwice(t, py) })
	t.Run("3DES signed twice", func(t *testing.T) { checkTripleDES(t, py) })
}

// checkEncrypting goes through everything that encryption affects, with an identity
// provider that encrypts with this cipher. Everything is at its default, except
// for CBC without a signature around it, which must be allowed.
func checkEncrypting(t *testing.T, sign, cipher string, start func(t *testing.T, spMetadata [][]byte) peer) {
	mustAllow := sign == signAssertion && strings.HasSuffix(cipher, "-cbc")
	byURL, key := deployEncrypted(t, func(sp *saml.Config, _ *acs.Config) {
		sp.InsecureAllowUnauthenticatedCBC = mustAllow
	})
	byIndex, _ := deployEncrypted(t, func(sp *saml.Config, r *acs.Config) {
		sp.ACSByIndex, r.Unsolicited, sp.InsecureAllowUnauthenticatedCBC = true, acs.Accept, mustAllow
	})
	strict, unused := deployEncrypted(t, func(*saml.Config, *acs.Config) {})
	// The next two have replaced their key, and the peer doesn't know it yet.
	other := &countedKey{PrivateKey: peerOtherKey().key}
	rolledOver, _ := deployEncrypted(t, func(sp *saml.Config, _ *acs.Config) {
		sp.InsecureAllowUnauthenticatedCBC = mustAllow
		sp.DecryptionKeys = append([]crypto.Decrypter{other}, sp.DecryptionKeys...)
		sp.EncryptionCertificate = peerOtherKey().cert
	})
	wrongKey, _ := deployEncrypted(t, func(sp *saml.Config, _ *acs.Config) {
		sp.InsecureAllowUnauthenticatedCBC = mustAllow
		sp.DecryptionKeys, sp.EncryptionCertificate = []crypto.Decrypter{other}, peerOtherKey().cert
	})
	all := []*deployment{byURL, byIndex, strict, rolledOver, wrongKey}
	var metadata [][]byte
	for _, d := range all {
		metadata = append(metadata, withOldKey(d.metadata(t)))
	}
	p := start(t, metadata)
	p.cipher = cipher
	for _, d := range all {
		d.trust(t, p.metadata)
	}

	for _, region := range []string{homeRegion, awayRegion} {
		t.Run(region+" by URL", func(t *testing.T) { checkSignIn(t, p, byURL, region, "/login") })
		t.Run(region+" by index", func(t *testing.T) { checkSignIn(t, p, byIndex, region, "/login") })
		if mustAllow {
			t.Run(region+", not allowed", func(t *testing.T) { checkCipherRefused(t, p, strict, region, unused) })
		}
	}
	t.Run("IdP-initiated", func(t *testing.T) { checkUnsolicited(t, p, byIndex) })
	t.Run("in another Region", func(t *testing.T) { checkOtherRegion(t, byURL) })
	t.Run("twice", func(t *testing.T) { checkTwice(t, byURL) })
	t.Run("tampered with", func(t *testing.T) { checkCiphertextTampered(t, p, byURL, key) })
	t.Run("key replaced", func(t *testing.T) { checkSignIn(t, p, rolledOver, awayRegion, "/login") })
	t.Run("wrong key", func(t *testing.T) {
		b, before := newPeerBrowser(t), other.used.Load()
		refused(t, wrongKey.deliver(b, wrongKey.response(b, awayRegion)), saml.ReasonEncrypted)
		assert.Equal(t, before+1, other.used.Load())
	})
}

// checkCipherRefused posts a message that is not allowed, and checks that no
// private key is used on it.
func checkCipherRefused(t *testing.T, p peer, d *deployment, region string, key *countedKey) {
	b := newPeerBrowser(t)
	response := d.response(b, region)
	require.Equal(t, d.acs(region), response.to)
	checkSigned(t, p, response.response(t))
	got := d.deliver(b, response)
	refused(t, got, saml.ReasonAlgorithm)
	assert.Equal(t, p.cipher, got.verdict.Got)
	assert.Equal(t, d.acs(region), got.verdict.ACS)
	assert.Zero(t, key.used.Load())
}

// checkCiphertextTampered changes one bit of what was encrypted, of the data at
// its beginning, in its middle and at its end, or of the wrapped key. With a
// signature around it the change is detected before a private key is used.
// Without one, all refusals look the same. The original response is still
// accepted.
func checkCiphertextTampered(t *testing.T, p peer, d *deployment, key *countedKey) {
	b := newPeerBrowser(t)
	response := d.response(b, awayRegion)
	before := key.used.Load()
	details := make(map[string]bool)
	for _, changed := range tamperedCiphertexts(t, response.response(t)) {
		got := d.deliver(b, response.with(changed))
		if p.sign == signAssertion {
			refused(t, got, saml.ReasonEncrypted)
		} else {
			refused(t, got, saml.ReasonSignature)
		}
		details[got.verdict.Detail] = true
	}
	assert.Len(t, details, 1)
	if p.sign == signAssertion {
		assert.Equal(t, before+4, key.used.Load())
	} else {
		assert.Equal(t, before, key.used.Load())
	}

	before = key.used.Load()
	require.True(t, d.deliver(b, response).verdict.Accepted)
	assert.Equal(t, before+1, key.used.Load())
}

// checkSignedTwice has pysaml2 encrypt what it signs twice. Then both of its
// Signatures have the Id "Signature1", to which nothing refers.
func checkSignedTwice(t *testing.T, py pysaml2) {
	d, _ := deployEncrypted(t, func(*saml.Config, *acs.Config) {})
	p := py.start(t, signBoth, [][]byte{d.metadata(t)}, "--encrypt", "aes128-cbc")
	p.cipher = aes128CBC
	d.trust(t, p.metadata)
	checkSignIn(t, p, d, homeRegion, "/login")

	b := newPeerBrowser(t)
	response := d.response(b, awayRegion)
	doc, _ := opened(t, response.response(t))
	signatures := doc.FindElements("//Signature")
	require.Len(t, signatures, 2)
	for _, signature := range signatures {
		assert.Equal(t, "Signature1", signature.SelectAttrValue("Id", ""))
	}
	got := d.deliver(b, response)
	require.True(t, got.verdict.Accepted, "%+v", got.verdict)
	assert.Equal(t, d.acs(awayRegion), got.login.Assertion.ACS().URL)
	checkUser(t, p, d, got.login.Assertion)
}

// checkTripleDES has pysaml2 encrypt by its default. 3DES is refused even with
// all options that allow more, and inside a signature that verifies.
func checkTripleDES(t *testing.T, py pysaml2) {
	d, key := deployEncrypted(t, func(sp *saml.Config, _ *acs.Config) {
		sp.InsecureAllowUnauthenticatedCBC, sp.InsecureAllowRSA15 = true, true
	})
	p := py.start(t, signBoth, [][]byte{d.metadata(t)}, "--encrypt", "default")
	p.cipher = tripleDES
	d.trust(t, p.metadata)
	checkCipherRefused(t, p, d, homeRegion, key)
	checkCipherRefused(t, p, d, awayRegion, key)
}

// deployEncrypted starts a deployment that can decrypt, and whose metadata has
// the key. The key counts its uses.
func deployEncrypted(t *testing.T, change func(*saml.Config, *acs.Config)) (*deployment, *countedKey) {
	t.Helper()
	key := &countedKey{PrivateKey: peerEncryptionKey().key}
	return deploy(t, func(sp *saml.Config, r *acs.Config) {
		sp.DecryptionKeys, sp.EncryptionCertificate = []crypto.Decrypter{key}, peerEncryptionKey().cert
		change(sp, r)
	}), key
}

// countedKey counts its decryptions.
type countedKey struct {
	*rsa.PrivateKey
	used atomic.Int64
}

func (k *countedKey) Decrypt(random io.Reader, message []byte, opts crypto.DecrypterOpts) ([]byte, error) {
	k.used.Add(1)
	return k.PrivateKey.Decrypt(random, message, opts)
}

// withOldKey returns metadata as it was before peerOtherKey.
func withOldKey(metadata []byte) []byte {
	in := func(k peerKey) []byte { return []byte(base64.StdEncoding.EncodeToString(k.cert.Raw)) }
	return bytes.ReplaceAll(metadata, in(peerOtherKey()), in(peerEncryptionKey()))
}
