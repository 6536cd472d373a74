package saml_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/xml"
	"fmt"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/beevik/etree"
	crewjam "github.com/crewjam/saml"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/saml"
)

// certificateIn reads the signing certificate from our metadata.
func certificateIn(t testing.TB, sp *saml.ServiceProvider) *x509.Certificate {
	t.Helper()
	metadata, err := sp.Metadata()
	require.NoError(t, err)
	doc := etree.NewDocument()
	require.NoError(t, doc.ReadFromBytes(metadata))
	der, err := base64.StdEncoding.DecodeString(doc.FindElement("//KeyDescriptor[@use='signing']//X509Certificate").Text())
	require.NoError(t, err)
	cert, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	return cert
}

func TestMetadataIsReadByAnotherLibrary(t *testing.T) {
	sp := newSP(t, signingConfig(t, keys().other), func(c *saml.Config) {
		c.NameIDFormats = []string{"urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress"}
	})
	raw, err := sp.Metadata()
	require.NoError(t, err)
	var entity crewjam.EntityDescriptor
	require.NoError(t, xml.Unmarshal(raw, &entity))
	require.Equal(t, spEntity, entity.EntityID)
	role := entity.SPSSODescriptors[0]
	require.Nil(t, role.WantAssertionsSigned)
	require.Equal(t, 24*time.Hour, entity.CacheDuration)
	require.True(t, entity.ValidUntil.IsZero())
	require.True(t, *role.AuthnRequestsSigned)
	require.Len(t, role.AssertionConsumerServices, 3)
	require.Len(t, role.KeyDescriptors, 1, "no encryption key: we can't decrypt")
	require.Equal(t, "signing", role.KeyDescriptors[0].Use)
	require.EqualValues(t, "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress", role.NameIDFormats[0])
}

func idpMetadata(t testing.TB, attrs, keyUses, body string) string {
	t.Helper()
	var descriptors strings.Builder
	for _, use := range strings.Fields(keyUses) {
		key := keys().idp
		if use == "other" || use == "encryption" {
			key = keys().other
		}
		attr := ` use="` + use + `"`
		if use == "any" {
			attr = ""
		} else if use == "other" {
			attr = ` use="signing"`
		}
		fmt.Fprintf(
			&descriptors,
			`<md:KeyDescriptor%s><ds:KeyInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:X509Data><ds:X509Certificate>%s</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>`,
			attr,
			base64.StdEncoding.EncodeToString(certificate(t, key, now.Add(time.Hour)).Raw),
		)
	}
	return `<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" entityID="` + idpEntity + `"` + attrs +
		`>` +
		`<md:IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">` + descriptors.String() +
		body +
		`<md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:SOAP" Location="https://idp.example/soap"/>` +
		`<md:SingleSignOnService Binding="` + saml.HTTPPost + `" Location="https://idp.example/post"/>` +
		`<md:SingleSignOnService Binding="` + saml.HTTPRedirect + `" Location="https://idp.example/redirect"/>` +
		`</md:IDPSSODescriptor></md:EntityDescriptor>`
}

// Obligations: IIP-MD07, IIP-SSO06, SDP-SP37.
func TestParseIdPMetadata(t *testing.T) {
	idp, err := saml.ParseIdPMetadata(
		[]byte(idpMetadata(t, ` validUntil="2026-12-01T00:00:00Z"`, "signing other encryption", "")),
	)
	require.NoError(t, err)
	require.Equal(t, idpEntity, idp.EntityID())
	require.Equal(
		t,
		[]saml.SSOService{
			{Binding: saml.HTTPPost, URL: "https://idp.example/post"},
			{Binding: saml.HTTPRedirect, URL: "https://idp.example/redirect"},
		},
		idp.SSOServices(),
	)
	require.Len(t, idp.Certificates(), 2)
	require.Equal(t, time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC), idp.ValidUntil())
	sp := newSP(t, func(c *saml.Config) { c.IdP = idp })
	for _, key := range []doc{{Key: keys().idp}, {Key: keys().other}} {
		_, err = sp.Verify(key.base64(t), unsolicited)
		require.NoError(t, err)
	}
}

// B40: an encryption key verifies no signature. B41: metadata past its validUntil is
// refused.
// Obligations: IIP-MD11.
func TestMetadataKeysAndDates(t *testing.T) {
	idp, err := saml.ParseIdPMetadata([]byte(idpMetadata(t, "", "any encryption", "")))
	require.NoError(t, err)
	sp := newSP(t, func(c *saml.Config) { c.IdP = idp })
	_, err = sp.Verify(doc{Key: keys().other}.base64(t), unsolicited)
	requireReason(t, saml.ReasonSignature, err)
	_, err = sp.Verify(doc{}.base64(t), unsolicited)
	require.NoError(t, err)

	group := `<md:EntitiesDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" validUntil="2026-11-01T00:00:00Z">` +
		idpMetadata(t, ` validUntil="2027-11-01T00:00:00Z"`, "signing", "") + `</md:EntitiesDescriptor>`
	idp, err = saml.ParseIdPMetadata([]byte(group))
	require.NoError(t, err)
	_, err = newSP(t, func(c *saml.Config) { c.IdP = idp }).Verify(doc{}.base64(t), unsolicited)
	requireReason(t, saml.ReasonMetadataExpired, err)
}

func TestParseIdPMetadataRefuses(t *testing.T) {
	good := idpMetadata(t, "", "signing", "")
	aggregate := func(inside string) string {
		return `<md:EntitiesDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata">` + inside + `</md:EntitiesDescriptor>`
	}
	for name, metadata := range map[string]string{
		"nothing":             "",
		"junk":                "junk",
		"a DOCTYPE":           "<!DOCTYPE x>" + good,
		"no key":              idpMetadata(t, "", "", ""),
		"only for encryption": idpMetadata(t, "", "encryption", ""),
		"another root":        `<x xmlns="urn:x"/>`,
		"no entity ID":        strings.Replace(good, `entityID="`+idpEntity+`"`, "", 1),
		"bad certificate":     strings.Replace(good, "<ds:X509Certificate>", "<ds:X509Certificate>AAAA", 1),
		"not base64":          strings.Replace(good, "<ds:X509Certificate>", "<ds:X509Certificate>!", 1),
		"empty validUntil":    idpMetadata(t, ` validUntil=""`, "signing", ""),
		"validUntil year one": idpMetadata(t, ` validUntil="0001-01-01T00:00:00Z"`, "signing", ""),
		"two of them":         aggregate(good + strings.Replace(good, idpEntity, "https://b.example", 1)),
		"none":                aggregate(""),
		"SAML 1.1 only":       strings.Replace(good, "SAML:2.0:protocol", "SAML:1.1:protocol", 1),
	} {
		t.Run(name, func(t *testing.T) {
			idp, err := saml.ParseIdPMetadata([]byte(metadata))
			require.Nil(t, idp)
			requireReason(t, saml.ReasonMetadata, err)
		})
	}
	two := aggregate(good + strings.Replace(good, idpEntity, "https://b.example", 1))
	idp, err := saml.ParseIdPMetadataFor([]byte(two), "https://b.example")
	require.NoError(t, err)
	require.Equal(t, "https://b.example", idp.EntityID())
	_, err = saml.ParseIdPMetadataFor([]byte(two), "https://c.example")
	requireReason(t, saml.ReasonMetadataEntity, err)
	_, err = saml.ParseIdPMetadataFor([]byte(aggregate(good+good)), idpEntity)
	requireReason(t, saml.ReasonMetadataDuplicate, err)
}

func TestNewIdPRefusesEmptyKeys(t *testing.T) {
	//lint:ignore SA1019 no other way to make a key that is none
	noCurve := &ecdsa.PublicKey{X: big.NewInt(1), Y: big.NewInt(1)}
	//lint:ignore SA1019 as above
	offCurve := &ecdsa.PublicKey{Curve: elliptic.P256(), X: big.NewInt(1), Y: big.NewInt(1)}
	for name, cfg := range map[string]saml.IdPConfig{
		"nil certificate":       {EntityID: "x", Certificates: []*x509.Certificate{nil}},
		"nil RSA key":           {EntityID: "x", Keys: []crypto.PublicKey{(*rsa.PublicKey)(nil)}},
		"empty RSA key":         {EntityID: "x", Keys: []crypto.PublicKey{&rsa.PublicKey{}}},
		"ECDSA key of no curve": {EntityID: "x", Keys: []crypto.PublicKey{noCurve}},
		"ECDSA point off curve": {EntityID: "x", Keys: []crypto.PublicKey{offCurve}},
		"ECDSA key of no point": {EntityID: "x", Keys: []crypto.PublicKey{&ecdsa.PublicKey{Curve: elliptic.P256()}}},
		"nil ECDSA key":         {EntityID: "x", Keys: []crypto.PublicKey{(*ecdsa.PublicKey)(nil)}},
		"no entity ID":          {Keys: []crypto.PublicKey{keys().idp.Public()}},
		"odd binding": {
			EntityID: "x", Keys: []crypto.PublicKey{keys().idp.Public()},
			SSO: []saml.SSOService{{Binding: "urn:x", URL: "https://idp.example"}},
		},
		"plain http": {
			EntityID: "x", Keys: []crypto.PublicKey{keys().idp.Public()},
			SSO: []saml.SSOService{{Binding: saml.HTTPPost, URL: "http://idp.example"}},
		},
	} {
		idp, err := saml.NewIdP(cfg)
		require.Nil(t, idp, name)
		requireReason(t, saml.ReasonMetadata, err)
	}
}
