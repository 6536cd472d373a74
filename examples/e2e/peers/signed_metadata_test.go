package peers_test

import (
	"context"
	"crypto"
	"crypto/x509"
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/mockidp/testkit"
	"github.com/meridian-saml/meridian/saml"
)

// An spReading is what a program reads of a service provider.
type spReading struct {
	ACS                                       []spEndpoint
	Logout                                    []string // binding and location
	Signing, Encryption                       []string // certificates
	Names, Descriptions, Information, Privacy map[string]string
	Logo                                      string
	Required, Optional                        []string // names of attributes
	EntityAttributes                          map[string][]string
	Organization                              map[string]string
	Contacts                                  []string // type and addresses
	Discovery                                 []string
}

type spEndpoint struct {
	Location string
	Index    int
	Default  bool
}

// A metadataReader is a program that reads the metadata of one entity, and verifies its signature with a certificate.
type metadataReader func(t *testing.T, entityID string, metadata []byte, signer *x509.Certificate) (spReading, error)

// TestPeersReadOurSignedMetadata has our metadata, with all that it can say, verified and read by other programs. They
// refuse it with another key, and after a change.
func TestPeersReadOurSignedMetadata(t *testing.T) {
	d, want := deployForReaders(t)
	metadata := d.metadata(t)
	newSchemas(t).withMetadataExtensions(t).valid(t, "metadata", metadata)
	for name, c := range map[string]struct {
		read    metadataReader
		refusal string           // what it prints about a signature that does not verify
		lacks   func(*spReading) // what it doesn't read
	}{
		"xmlsec1": {
			readByXmlsec(testkit.RequireProgram(t, "peers", "xmlsec1")), "FAIL", func(r *spReading) { *r = spReading{} },
		},
		"SimpleSAMLphp": {readBySimpleSAMLphp(requireSimpleSAMLphp(t)), "no metadata", func(r *spReading) {
			r.Discovery, r.Optional = nil, r.Optional[:1] // it has the attributes of one AttributeConsumingService
		}},
		"pysaml2": {requirePysaml2(t).readMetadata, "SignatureError", func(*spReading) {}},
		"Shibboleth": {
			readByShibboleth(testkit.RequireProgram(t, "peers", "mdquery")),
			"SignatureMetadataFilter unable to verify signature", func(*spReading) {},
		},
	} {
		t.Run(name, func(t *testing.T) {
			want := want
			c.lacks(&want)
			got, err := c.read(t, d.sp.EntityID(), metadata, peerSPKey().cert)
			require.NoError(t, err)
			assert.Equal(t, want, got)
			_, err = c.read(t, d.sp.EntityID(), metadata, peerIdPKey().cert)
			require.ErrorContains(t, err, c.refusal, "another key")
			for _, change := range [][2]string{
				{"/platform/saml/acs/4455", "/platform/saml/acs/4456"}, {"security@", "evil@"},
			} {
				changed := strings.Replace(string(metadata), change[0], change[1], 1)
				require.NotEqual(t, string(metadata), changed)
				_, err = c.read(t, d.sp.EntityID(), []byte(changed), peerSPKey().cert)
				require.ErrorContains(t, err, c.refusal, "with %s", change[1])
			}
		})
	}
}

// deployForReaders deploys a service provider whose metadata says all that it can, and returns what a program can read
// there. Each use has two keys, as while one is replaced.
func deployForReaders(t *testing.T) (*deployment, spReading) {
	t.Helper()
	var config saml.Config
	d := deploy(t, func(c *saml.Config, region *acs.Config) {
		describeFully(c)
		c.SignMetadata, c.MetadataValidity = true, time.Hour
		c.OtherCertificates = []*x509.Certificate{peerOtherKey().cert}
		c.DecryptionKeys = []crypto.Decrypter{peerEncryptionKey().key, peerOtherKey().key}
		c.EncryptionCertificate = peerEncryptionKey().cert
		c.OtherEncryptionCertificates = []*x509.Certificate{peerOtherKey().cert}
		for _, e := range c.ACS {
			slo := strings.Replace(e.URL, "/acs/", "/slo/", 1)
			c.Logout = append(c.Logout, saml.LogoutEndpoint{URL: slo, Region: e.Region})
		}
		c.LogoutSOAP = true
		for _, e := range c.ACS[1:] {
			c.DiscoveryResponses = append(c.DiscoveryResponses, e.URL+"/idp")
		}
		region.EndSessions = func(context.Context, *saml.VerifiedLogoutRequest) (saml.LogoutStatus, error) {
			return saml.LogoutSuccess, nil
		}
		config = *c
	})
	slo := config.Logout[0].URL
	certificates := func(list ...peerKey) (out []string) {
		for _, k := range list {
			out = append(out, base64.StdEncoding.EncodeToString(k.cert.Raw))
		}
		return out
	}
	return d, spReading{
		ACS:          []spEndpoint{{d.acs(homeRegion), 7, true}, {d.acs(awayRegion), 3, false}},
		Logout:       []string{saml.HTTPRedirect + " " + slo, saml.HTTPPost + " " + slo, saml.SOAP + " " + slo},
		Signing:      certificates(peerSPKey(), peerOtherKey()),
		Encryption:   certificates(peerEncryptionKey(), peerOtherKey()),
		Names:        map[string]string{"en": "R&D <Portal>", "de-CH": "Zürich"},
		Descriptions: map[string]string{"en": "The portal."},
		Information:  map[string]string{"en": "https://sp.example/?a=b&c=d"},
		Privacy:      map[string]string{"en": "https://sp.example/privacy#en"},
		Logo:         "80x60 https://sp.example/logo.png",
		Required:     []string{"urn:oid:0.9.2342.19200300.100.1.3"},
		Optional:     []string{"urn:oid:1.3.6.1.4.1.5923.1.1.1.1", "urn:oid:2.5.4.3"},
		EntityAttributes: map[string][]string{
			saml.EntityCategory: {saml.ResearchAndScholarship}, saml.AssuranceCertification: {saml.Sirtfi},
		},
		Organization: map[string]string{"en": "Example"},
		Contacts: []string{
			"technical t@example.com", "support s@example.com", "administrative a@example.com",
			"other security@example.com",
		},
		Discovery: config.DiscoveryResponses,
	}
}
