package saml_test

import (
	"crypto"
	"crypto/elliptic"
	"crypto/x509"
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/saml"
)

// twoOfAKind is a service provider in the middle of replacing both of its keys.
func twoOfAKind(t testing.TB) func(*saml.Config) {
	later := now.Add(time.Hour)
	return func(c *saml.Config) {
		c.Key, c.Certificate = keys().other, certificate(t, keys().other, later)
		c.OtherCertificates = []*x509.Certificate{certificate(t, ecKey(t, elliptic.P256()), later)}
		c.DecryptionKeys = []crypto.Decrypter{keys().other, keys().idp}
		c.EncryptionCertificate = certificate(t, keys().other, later)
		c.OtherEncryptionCertificates = []*x509.Certificate{certificate(t, keys().idp, later)}
	}
}

// Obligations: SDP-MD05.
func TestMetadataDuringRollover(t *testing.T) {
	cfg := config()
	twoOfAKind(t)(&cfg)
	cfg.SignMetadata = true
	want := []string{"signing", "signing", "encryption", "encryption"}
	certificates := []*x509.Certificate{
		cfg.Certificate, cfg.OtherCertificates[0], cfg.EncryptionCertificate, cfg.OtherEncryptionCertificates[0],
	}
	sp, err := saml.New(cfg)
	require.NoError(t, err)
	cfg.OtherCertificates[0], cfg.OtherEncryptionCertificates[0] = nil, nil // the caller's own lists
	root := etreeOf(t, sp).Root()
	descriptors := root.FindElements("SPSSODescriptor/KeyDescriptor")
	require.Len(t, descriptors, len(want))
	for i, d := range descriptors {
		require.Equal(t, want[i], attr(d, "use"))
		require.Equal(t, base64.StdEncoding.EncodeToString(certificates[i].Raw), d.FindElement(".//X509Certificate").Text())
		require.Equal(t, want[i] == "encryption", d.FindElement("EncryptionMethod") != nil)
	}
	metadata, err := sp.Metadata()
	require.NoError(t, err)
	_, err = saml.VerifyAggregate(metadata, []crypto.PublicKey{keys().other.Public()})
	require.NoError(t, err, "the current key signs")
}

// Obligations: SDP-MD06.
func TestNewRefusesBadCertificates(t *testing.T) {
	const signing, encryption = "Config.OtherCertificates", "Config.OtherEncryptionCertificates"
	later := now.Add(time.Hour)
	for name, c := range map[string]struct {
		change func(*saml.Config)
		field  string
	}{
		"no key": {func(c *saml.Config) { c.Key, c.Certificate = nil, nil }, signing},
		"no encryption certificate": {
			func(c *saml.Config) { c.EncryptionCertificate = nil }, encryption,
		},
		"nil":   {func(c *saml.Config) { c.OtherCertificates[0] = nil }, signing + "[0]"},
		"twice": {func(c *saml.Config) { c.OtherCertificates[0] = c.Certificate }, signing + "[0]"},
		"twice among the others": {
			func(c *saml.Config) { c.OtherCertificates = append(c.OtherCertificates, c.OtherCertificates[0]) },
			signing + "[1]",
		},
		"many": {func(c *saml.Config) { c.OtherCertificates = make([]*x509.Certificate, 9) }, signing},
		"weak": {
			func(c *saml.Config) { c.OtherCertificates[0] = certificate(t, keys().weak, later) }, signing + "[0]",
		},
		"encryption, nil": {func(c *saml.Config) { c.OtherEncryptionCertificates[0] = nil }, encryption + "[0]"},
		"encryption, twice": {
			func(c *saml.Config) { c.OtherEncryptionCertificates[0] = c.EncryptionCertificate }, encryption + "[0]",
		},
		"encryption, a key that we don't have": {
			func(c *saml.Config) { c.DecryptionKeys = c.DecryptionKeys[:1] }, encryption + "[0]",
		},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := config()
			twoOfAKind(t)(&cfg)
			c.change(&cfg)
			_, err := saml.New(cfg)
			var e *saml.Error
			require.ErrorAs(t, err, &e)
			require.Equal(t, c.field, e.Rule)
		})
	}
}

// Obligations: SDP-G02, SDP-G04.
func TestLongestEntityID(t *testing.T) {
	sp := newSP(t, func(c *saml.Config) { c.EntityID = "urn:" + strings.Repeat("x", 252) })
	require.Len(t, sp.EntityID(), 256)
}
