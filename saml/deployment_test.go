package saml_test

import (
	"crypto"
	"crypto/x509"
	"encoding/base64"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/saml"
)

const pixel = "data:image/png;base64,iVBORw0KGgo="

// deployed is what the deployment profile saml2int demands of the metadata of a service
// provider.
func deployed(t testing.TB) func(*saml.Config) {
	return func(c *saml.Config) {
		english := func(text string) []saml.LocalizedText { return []saml.LocalizedText{{Lang: "en", Text: text}} }
		c.DecryptionKeys = []crypto.Decrypter{keys().other}
		c.EncryptionCertificate = certificate(t, keys().other, now.Add(time.Hour))
		c.AllowMissingNameID = true
		c.About = saml.About{
			Names: english("Portal"), PrivacyStatementURLs: english("https://sp.example/privacy"),
			Logos:    []saml.Logo{{URL: "https://sp.example/logo.png", Width: 80, Height: 60}, {URL: pixel, Width: 16, Height: 16}},
			Contacts: []saml.Contact{{Type: saml.ContactTechnical, Emails: []string{"saml@sp.example"}}},
		}
		c.EntityAttributes = []saml.EntityAttribute{{Name: saml.SubjectIDRequirement, Values: []string{"subject-id"}}}
	}
}

// A configured service provider publishes what saml2int demands, and its keys as
// certificates.
// Obligations: SDP-MD04, SDP-MD05, SDP-MD08, SDP-MD09, SDP-MD10, SDP-MD11, SDP-SP06,
// SDP-SP15, SDP-SP39.
func TestMetadataForSAML2Int(t *testing.T) {
	sp := newSP(t, signingConfig(t, keys().idp), deployed(t))
	root := etreeOf(t, sp).Root()
	role := root.FindElement("SPSSODescriptor")
	services := role.FindElements("AssertionConsumerService")
	require.Len(t, services, 3)
	for i, e := range sp.ACS() {
		require.Equal(t, e.URL, attr(services[i], "Location"))
		require.Equal(t, saml.HTTPPost, attr(services[i], "Binding"))
	}
	descriptors := role.FindElements("KeyDescriptor")
	require.Len(t, descriptors, 2)
	for i, use := range []string{"signing", "encryption"} {
		require.Equal(t, use, attr(descriptors[i], "use"))
		der, err := base64.StdEncoding.DecodeString(descriptors[i].FindElement("KeyInfo/X509Data/X509Certificate").Text())
		require.NoError(t, err)
		_, err = x509.ParseCertificate(der)
		require.NoError(t, err)
	}
	ui := role.FindElement("Extensions/UIInfo")
	require.Equal(t, "Portal", ui.FindElement("DisplayName").Text())
	require.Equal(t, "https://sp.example/privacy", ui.FindElement("PrivacyStatementURL").Text())
	logos := ui.FindElements("Logo")
	require.Equal(t, "https://sp.example/logo.png", logos[0].Text())
	require.Equal(t, pixel, logos[1].Text())
	contact := root.FindElement("ContactPerson")
	require.Equal(t, "technical", attr(contact, "contactType"))
	require.Equal(t, "mailto:saml@sp.example", contact.FindElement("EmailAddress").Text())
	subject := root.FindElement("Extensions/EntityAttributes/Attribute")
	require.Equal(t, "urn:oasis:names:tc:SAML:profiles:subject-id:req", attr(subject, "Name"))
	require.Equal(t, "subject-id", subject.FindElement("AttributeValue").Text())
	for _, absent := range []string{"SingleLogoutService", "ArtifactResolutionService", "ManageNameIDService"} {
		require.Nil(t, root.FindElement("//"+absent), "not supported, so not advertised")
	}

	for _, url := range []string{
		"http://sp.example/logo.png", "javascript:alert(1)", "data:text/html;base64,AAAA", "/logo.png", "",
	} {
		cfg := config()
		deployed(t)(&cfg)
		cfg.About.Logos[1].URL = url
		_, err := saml.New(cfg)
		requireReason(t, saml.ReasonConfig, err)
	}
}

// Attributes that are shown to users, each with as many values as its definition allows.
// Obligations: SDP-SP18, SDP-SP19.
func TestDisplayableAttributes(t *testing.T) {
	type user struct {
		Mail        []string `saml:"mail,required"`
		DisplayName []string `saml:"displayName"`
		GivenName   []string `saml:"givenName"`
		Surname     []string `saml:"sn"`
	}
	d, err := saml.NewDecoder[user](saml.DecoderConfig{Names: []saml.Names{saml.LDAPNames()}})
	require.NoError(t, err)
	a, err := newSP(t).Verify(doc{
		Attributes: named("urn:oid:0.9.2342.19200300.100.1.3", "ada@example.org", "countess@example.org") +
			named("urn:oid:2.16.840.1.113730.3.1.241", "Ada Lovelace") +
			named("urn:oid:2.5.4.42", "Ada", "Augusta") + named("urn:oid:2.5.4.4", "Lovelace", "Byron"),
	}.base64(t), unsolicited)
	require.NoError(t, err)
	got, err := d.Decode(a)
	require.NoError(t, err)
	require.Equal(t, user{
		[]string{"ada@example.org", "countess@example.org"}, []string{"Ada Lovelace"},
		[]string{"Ada", "Augusta"}, []string{"Lovelace", "Byron"},
	}, got)
}
