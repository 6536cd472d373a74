package peers_test

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/mockidp/testkit"
	"github.com/meridian-saml/meridian/saml"
)

// TestSchemasOfExtensions validates our metadata, with all that it can say, together
// with the schemas of its extensions. That of SAML alone skips what it doesn't know.
func TestSchemasOfExtensions(t *testing.T) {
	v := newSchemas(t).withMetadataExtensions(t)
	d, _ := deployEncrypted(t, func(c *saml.Config, _ *acs.Config) {
		c.SignMetadata, c.MetadataValidity = true, time.Hour
		describeFully(c)
	})
	metadata := string(d.metadata(t))
	for _, name := range []string{
		"mdui:UIInfo", "mdattr:EntityAttributes", "alg:SigningMethod", "idpdisc:DiscoveryResponse",
		"init:RequestInitiator", "md:AttributeConsumingService", "md:Organization", "remd:contactType", "ds:Signature",
	} {
		require.Contains(t, metadata, name)
	}
	v.valid(t, "metadata", []byte(metadata))
	for old, broken := range map[string]string{
		` height="60"`:   ` height="-1"`,
		`mdui:Logo`:      `mdui:Image`,
		`MinKeySize="2`:  `MinKeySize="x`,
		`md:ServiceName`: `md:ServiceTitle`,
	} {
		changed := strings.ReplaceAll(metadata, old, broken)
		require.NotEqual(t, metadata, changed)
		_, ok := v.validate(t, "metadata", []byte(changed))
		assert.False(t, ok, "%s is valid", broken)
	}
}

// describeFully fills all that our metadata can say about a service provider.
func describeFully(c *saml.Config) {
	in := func(lang, text string) saml.LocalizedText { return saml.LocalizedText{Lang: lang, Text: text} }
	host := strings.TrimSuffix(c.ACS[0].URL, "/acs")
	c.DiscoveryResponses, c.RequestInitiators = []string{host + "/idp"}, []string{host + "/login"}
	c.About = saml.About{
		Names:                []saml.LocalizedText{in("en", "R&D <Portal>"), in("de-CH", "Zürich")},
		Descriptions:         []saml.LocalizedText{in("en", "The portal.")},
		InformationURLs:      []saml.LocalizedText{in("en", "https://sp.example/?a=b&c=d")},
		PrivacyStatementURLs: []saml.LocalizedText{in("en", "https://sp.example/privacy#en")},
		Logos:                []saml.Logo{{URL: "https://sp.example/logo.png", Width: 80, Height: 60, Lang: "en"}},
		Organization: &saml.Organization{
			Names: []saml.LocalizedText{in("en", "Example")}, URLs: []saml.LocalizedText{in("en", "https://example.com/")},
		},
		Contacts: []saml.Contact{
			{
				Type: saml.ContactTechnical, Company: "Example", GivenName: "Ada", Surname: "L",
				Emails: []string{"t@example.com"}, TelephoneNumbers: []string{"+41 44 000 00 00"},
			},
			{Type: saml.ContactSupport, Emails: []string{"s@example.com"}},
			{Type: saml.ContactAdministrative, Emails: []string{"a@example.com"}},
			{Type: saml.ContactSecurity, GivenName: "Security", Emails: []string{"security@example.com"}},
		},
	}
	c.EntityAttributes = []saml.EntityAttribute{
		{Name: saml.EntityCategory, Values: []string{saml.ResearchAndScholarship}},
		{Name: saml.AssuranceCertification, Values: []string{saml.Sirtfi}},
	}
	c.AttributeConsumingServices = []saml.AttributeConsumingService{
		{
			Names: []saml.LocalizedText{in("en", "Portal")}, Descriptions: []saml.LocalizedText{in("en", "All of it")},
			Attributes: []saml.RequestedAttribute{
				{Name: "urn:oid:0.9.2342.19200300.100.1.3", FriendlyName: "mail", Required: true},
				{Name: "urn:oid:1.3.6.1.4.1.5923.1.1.1.1", Values: peerAffiliation},
			},
		},
		{
			Index: 7, Names: []saml.LocalizedText{in("en", "Small")},
			Attributes: []saml.RequestedAttribute{{Name: "urn:oid:2.5.4.3"}},
		},
	}
}

// withMetadataExtensions are the schemas of metadata together with those of its
// extensions. OpenSAML's copies import SAML's schemas by address. The first copy of a
// schema counts, so nothing is fetched.
func (v schemas) withMetadataExtensions(t *testing.T) schemas {
	t.Helper()
	const dir = "/usr/share/xml/opensaml/"
	both := schemas{v.php, t.TempDir()}
	var imports strings.Builder
	imports.WriteString(`<import namespace="urn:oasis:names:tc:SAML:2.0:metadata" schemaLocation="` +
		v.file("metadata") + `"/>`)
	for namespace, file := range map[string]string{
		"urn:oasis:names:tc:SAML:metadata:ui":                         "sstc-saml-metadata-ui-v1.0.xsd",
		"urn:oasis:names:tc:SAML:metadata:attribute":                  "sstc-metadata-attr.xsd",
		"urn:oasis:names:tc:SAML:metadata:algsupport":                 "sstc-saml-metadata-algsupport-v1.0.xsd",
		"urn:oasis:names:tc:SAML:profiles:SSO:idp-discovery-protocol": "sstc-saml-idp-discovery.xsd",
		"urn:oasis:names:tc:SAML:profiles:SSO:request-init":           "sstc-request-initiation.xsd",
	} {
		testkit.RequireFile(t, "peers", dir+file)
		imports.WriteString(`<import namespace="` + namespace + `" schemaLocation="` + dir + file + `"/>`)
	}
	require.NoError(t, os.WriteFile(both.file("metadata"),
		[]byte(`<schema xmlns="http://www.w3.org/2001/XMLSchema">`+imports.String()+`</schema>`), 0o600))
	return both
}
