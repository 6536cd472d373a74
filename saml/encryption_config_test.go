package saml_test

import (
	"crypto"
	"crypto/rsa"
	"encoding/base64"
	"encoding/xml"
	"testing"
	"time"

	crewjam "github.com/crewjam/saml"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/saml"
)

// decrypterOf hides the key's type, as a key in hardware does.
type decrypterOf struct{ crypto.Decrypter }

// Obligations: SDP-MD06.
func TestDecryptionKeysAreChecked(t *testing.T) {
	cert := certificate(t, keys().other, now.Add(time.Hour))
	other := []crypto.Decrypter{keys().other}
	for _, c := range []struct {
		name   string
		change func(*saml.Config)
		reason saml.Reason // empty: accepted
	}{
		{"one", func(c *saml.Config) { c.DecryptionKeys = other }, ""},
		{"in hardware", func(c *saml.Config) { c.DecryptionKeys = []crypto.Decrypter{decrypterOf{keys().other}} }, ""},
		{"with its certificate", func(c *saml.Config) { c.DecryptionKeys, c.EncryptionCertificate = other, cert }, ""},
		{"nil", func(c *saml.Config) { c.DecryptionKeys = []crypto.Decrypter{nil} }, saml.ReasonConfig},
		{
			"typed nil", func(c *saml.Config) { c.DecryptionKeys = []crypto.Decrypter{(*rsa.PrivateKey)(nil)} },
			saml.ReasonConfig,
		},
		{"nine", func(c *saml.Config) {
			for range 9 {
				c.DecryptionKeys = append(c.DecryptionKeys, keys().other)
			}
		}, saml.ReasonConfig},
		{"weak", func(c *saml.Config) { c.DecryptionKeys = []crypto.Decrypter{keys().other, keys().weak} }, saml.ReasonKey},
		{"weak, allowed", func(c *saml.Config) {
			c.DecryptionKeys, c.InsecureAllowRSA1024 = []crypto.Decrypter{keys().weak}, true
		}, ""},
		{"not RSA", func(c *saml.Config) { c.DecryptionKeys = []crypto.Decrypter{notRSA{}} }, saml.ReasonKey},
		{"certificate without a key", func(c *saml.Config) { c.EncryptionCertificate = cert }, saml.ReasonConfig},
		{"certificate of the second key", func(c *saml.Config) {
			c.DecryptionKeys, c.EncryptionCertificate = []crypto.Decrypter{keys().idp, keys().other}, cert
		}, saml.ReasonConfig},
	} {
		t.Run(c.name, func(t *testing.T) {
			cfg := config()
			c.change(&cfg)
			sp, err := saml.New(cfg)
			if c.reason == "" {
				require.NoError(t, err)
				_, err = sp.Verify(
					doc{Encrypt: sealing{to: []*rsa.PrivateKey{keys().other, keys().weak}}.seal}.base64(t),
					unsolicited,
				)
				require.NoError(t, err)
				return
			}
			require.Nil(t, sp)
			requireReason(t, c.reason, err)
		})
	}
}

type notRSA struct{ crypto.Decrypter }

func (notRSA) Public() crypto.PublicKey { return "?" }

// Invariant 12: the keys are copied.
func TestInvariant12_DecryptionKeysAreCopied(t *testing.T) {
	cfg := config()
	cfg.DecryptionKeys = []crypto.Decrypter{keys().other}
	sp, err := saml.New(cfg)
	require.NoError(t, err)
	cfg.DecryptionKeys[0] = keys().idp
	_, err = sp.Verify(doc{Encrypt: sealing{}.seal}.base64(t), unsolicited)
	require.NoError(t, err)
}

// Metadata has only algorithms that are always accepted, and only a key that we
// have.
// Obligations: IIP-MD09, SDP-MD08.
func TestEncryptionKeyInMetadata(t *testing.T) {
	cert := certificate(t, keys().other, now.Add(time.Hour))
	descriptors := func(change func(*saml.Config)) []crewjam.KeyDescriptor {
		raw, err := newSP(t, change).Metadata()
		require.NoError(t, err)
		var entity crewjam.EntityDescriptor
		require.NoError(t, xml.Unmarshal(raw, &entity))
		return entity.SPSSODescriptors[0].KeyDescriptors
	}
	require.Empty(
		t,
		descriptors(func(c *saml.Config) { c.DecryptionKeys = []crypto.Decrypter{keys().other} }),
		"none is published without a certificate",
	)

	for _, change := range []func(*saml.Config){func(*saml.Config) {}, allowCBC, allowRSA15} {
		got := descriptors(func(c *saml.Config) {
			signingConfig(t, keys().idp)(c)
			c.DecryptionKeys, c.EncryptionCertificate = []crypto.Decrypter{keys().other, keys().idp}, cert
			change(c)
		})
		require.Len(t, got, 2)
		require.Equal(t, "signing", got[0].Use)
		require.Empty(t, got[0].EncryptionMethods)
		require.Equal(t, "encryption", got[1].Use)
		require.Equal(t, base64.StdEncoding.EncodeToString(cert.Raw), got[1].KeyInfo.X509Data.X509Certificates[0].Data)
		var methods []string
		for _, m := range got[1].EncryptionMethods {
			methods = append(methods, m.Algorithm)
		}
		require.Equal(t, []string{
			"http://www.w3.org/2009/xmlenc11#aes256-gcm", "http://www.w3.org/2009/xmlenc11#aes192-gcm",
			"http://www.w3.org/2009/xmlenc11#aes128-gcm",
			"http://www.w3.org/2009/xmlenc11#rsa-oaep", "http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p",
		}, methods)
	}
}
