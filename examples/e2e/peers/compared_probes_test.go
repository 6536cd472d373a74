package peers_test

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp"
	"github.com/meridian-saml/meridian/mockidp/testkit"
)

// The probes of the table in acs/COMPARED.md. A library in its default configuration
// verifies a response of the mock that is good except for one property. First
// it must accept the response without that property.

const (
	tableEntity = "https://sp.example/saml"
	tableACS    = "https://sp.example/acs"
)

// tableIdP is an identity provider with one app, for tableACS.
func tableIdP(t *testing.T, change func(*mockidp.Config)) *mockidp.Server {
	t.Helper()
	c := mockidp.Config{Key: peerIdPKey().key, Certificate: peerIdPKey().cert, Apps: []mockidp.App{{
		Label: "Table", Audience: tableEntity, ACS: []mockidp.ACS{{URL: tableACS}}, Groups: []string{mockidp.Everyone},
		Attributes:            []mockidp.Attribute{{Name: "mail", Values: []string{"${user.email}"}}},
		EncryptionCertificate: peerSPKey().cert,
	}}}
	if change != nil {
		change(&c)
	}
	idp := mockidp.New(c)
	t.Cleanup(idp.Close)
	return idp
}

// accepts reports whether a library accepts an unsolicited response of the
// identity provider, with the user's name.
func accepts(t *testing.T, lib tableLib, idp *mockidp.Server, metadata []byte) bool {
	t.Helper()
	form, err := idp.IdPInitiated("", mockidp.DefaultLogin, "")
	require.NoError(t, err)
	name, err := lib.verify(t, metadata, form.SAMLResponse)
	if err != nil {
		t.Log(err)
		return false
	}
	require.Equal(t, mockidp.DefaultLogin, name)
	return true
}

// probed returns the table's word for a configuration of the identity provider.
func probed(t *testing.T, lib tableLib, change func(*mockidp.Config)) string {
	t.Helper()
	good := tableIdP(t, nil)
	require.True(t, accepts(t, lib, good, good.Metadata("")), "a good response is refused: this proves nothing")
	idp := tableIdP(t, change)
	return word(accepts(t, lib, idp, idp.Metadata("")))
}

func word(accepted bool) string {
	if accepted {
		return "accepted"
	}
	return "refused"
}

func probeSHA1(t *testing.T, lib tableLib) string {
	return probed(t, lib, func(c *mockidp.Config) { c.Apps[0].SignatureMethod = mockidp.InsecureRSASHA1 })
}

func withKey(key crypto.Signer) func(*mockidp.Config) {
	return func(c *mockidp.Config) { c.Key, c.Certificate = key, nil }
}

func probeSmallKey(t *testing.T, lib tableLib) string {
	key, err := rsa.GenerateKey(rand.Reader, 1024)
	require.NoError(t, err)
	return probed(t, lib, withKey(key))
}

func probeECDSA(t *testing.T, lib tableLib) string {
	return probed(t, lib, withKey(testkit.ECDSAKey("idp")))
}

func probeExpired(t *testing.T, lib tableLib) string {
	idp := tableIdP(t, nil)
	until := func(at time.Time) []byte {
		return []byte(strings.Replace(string(idp.Metadata("")), "<md:EntityDescriptor ",
			fmt.Sprintf("<md:EntityDescriptor validUntil=%q ", at.UTC().Format(time.RFC3339)), 1))
	}
	require.True(t, accepts(t, lib, idp, until(time.Now().Add(time.Hour))))
	return word(accepts(t, lib, idp, until(time.Now().Add(-time.Hour))))
}

func probeOld(t *testing.T, lib tableLib) string {
	return probed(t, lib, func(c *mockidp.Config) {
		c.Now = func() time.Time { return time.Now().Add(-3 * time.Minute) }
	})
}

func probeGroups(n int) func(*testing.T, tableLib) string {
	return func(t *testing.T, lib tableLib) string {
		return probed(t, lib, func(c *mockidp.Config) {
			groups := make([]string, n)
			for i := range groups {
				groups[i] = fmt.Sprintf("group %d", i)
			}
			c.Apps[0].Attributes = append(c.Apps[0].Attributes, mockidp.Attribute{Name: "groups", Values: groups})
		})
	}
}

// probeRollover signs with each of two keys in turn, without naming the key.
func probeRollover(t *testing.T, lib tableLib) string {
	idp := tableIdP(t, func(c *mockidp.Config) { c.Apps[0].OmitKeyInfo = true })
	first := idp.Keys()[0]
	second, err := idp.AddKey(peerSPKey().key, nil)
	require.NoError(t, err)
	metadata := idp.Metadata("")
	accepted := accepts(t, lib, idp, metadata)
	require.NoError(t, idp.SignWith(second.ID))
	accepted = accepts(t, lib, idp, metadata) && accepted
	require.NoError(t, idp.SignWith(first.ID))
	return word(accepted)
}

func sealed(method mockidp.EncryptionMethod, sign mockidp.Signing, transport mockidp.Encryption) func(*mockidp.Config) {
	transport.Method = method
	return func(c *mockidp.Config) { c.Apps[0].Encrypt, c.Apps[0].Sign = &transport, sign }
}

// probeCiphers lists the ciphers that are decrypted inside a signed Response.
func probeCiphers(t *testing.T, lib tableLib) string {
	var out []string
	for _, family := range []struct {
		name    string
		methods map[string]mockidp.EncryptionMethod
	}{
		{"GCM", map[string]mockidp.EncryptionMethod{
			"128": mockidp.AES128GCM, "192": mockidp.AES192GCM, "256": mockidp.AES256GCM,
		}},
		{"CBC", map[string]mockidp.EncryptionMethod{
			"128": mockidp.AES128CBC, "192": mockidp.AES192CBC, "256": mockidp.AES256CBC,
		}},
	} {
		var sizes []string
		for size, method := range family.methods {
			if probed(t, lib, sealed(method, mockidp.SignBoth, mockidp.Encryption{})) == "accepted" {
				sizes = append(sizes, size)
			}
		}
		slices.Sort(sizes)
		switch len(sizes) {
		case 0:
		case 3:
			out = append(out, "AES-"+family.name)
		default:
			for _, size := range sizes {
				out = append(out, "AES-"+size+"-"+family.name)
			}
		}
	}
	return strings.Join(out, ", ")
}

func probeOpenCBC(t *testing.T, lib tableLib) string {
	require.Equal(t, "accepted", probed(t, lib, sealed(mockidp.AES256CBC, mockidp.SignBoth, mockidp.Encryption{})))
	return probed(t, lib, sealed(mockidp.AES256CBC, mockidp.SignAssertion, mockidp.Encryption{}))
}

// probeKeyTransport lists the ways to encrypt the key that are decrypted.
func probeKeyTransport(t *testing.T, lib tableLib) string {
	takes := func(e mockidp.Encryption) bool {
		return probed(t, lib, sealed(mockidp.AES256GCM, mockidp.SignBoth, e)) == "accepted"
	}
	var hashes []string
	for _, h := range []struct {
		name string
		hash mockidp.Hash
	}{{"SHA-1", mockidp.SHA1}, {"SHA-256", mockidp.SHA256}, {"SHA-512", mockidp.SHA512}} {
		if takes(mockidp.Encryption{KeyTransport: mockidp.RSAOAEPMGF1P, Digest: h.hash}) &&
			takes(mockidp.Encryption{KeyTransport: mockidp.RSAOAEP, Digest: h.hash, MGF: h.hash}) {
			hashes = append(hashes, h.name)
		}
	}
	out := "RSA-OAEP with " + strings.Join(hashes, ", ")
	if takes(mockidp.Encryption{KeyTransport: mockidp.InsecureRSA15}) {
		out += "; RSA 1.5"
	}
	return out
}
