package saml_test

import (
	"strings"
	"testing"

	"github.com/beevik/etree"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/saml"
)

// describe fills all that our metadata can say about us.
func describe(c *saml.Config) {
	text := func(pairs ...string) (out []saml.LocalizedText) {
		for i := 0; i < len(pairs); i += 2 {
			out = append(out, saml.LocalizedText{Lang: pairs[i], Text: pairs[i+1]})
		}
		return out
	}
	c.About = saml.About{
		Names:                text("en", "R&D <Portal>", "de-CH", "Zürich"),
		Descriptions:         text("en", "The portal."),
		InformationURLs:      text("en", "https://sp.example/?a=b&c=d"),
		PrivacyStatementURLs: text("en", "https://sp.example/privacy#en"),
		Logos: []saml.Logo{
			{URL: "https://sp.example/logo.png", Width: 80, Height: 60, Lang: "en"},
			{URL: "https://sp.example/small.png", Width: 16, Height: 16},
		},
		Organization: &saml.Organization{Names: text("en", "Example"), URLs: text("en", "http://example.com/")},
		Contacts: []saml.Contact{
			{Type: saml.ContactTechnical, Company: "Example", GivenName: "Ada", Surname: "L", Emails: []string{"t@example.com"}},
			{Type: saml.ContactSupport, TelephoneNumbers: []string{"+41 44 000 00 00"}},
			{Type: saml.ContactAdministrative, Emails: []string{"a@example.com", "b@example.com"}},
			{Type: saml.ContactSecurity, GivenName: "Security team", Emails: []string{"security@example.com"}},
		},
	}
	c.EntityAttributes = []saml.EntityAttribute{
		{Name: saml.EntityCategory, Values: []string{saml.ResearchAndScholarship}},
		{Name: saml.AssuranceCertification, Values: []string{saml.Sirtfi}},
	}
	c.AttributeConsumingServices = []saml.AttributeConsumingService{
		{
			Names: text("en", "Portal", "de", "Portal"), Descriptions: text("en", "All of it"),
			Attributes: []saml.RequestedAttribute{
				{Name: "urn:oid:0.9.2342.19200300.100.1.3", FriendlyName: "mail", Required: true},
				{Name: "role", NameFormat: "urn:oasis:names:tc:SAML:2.0:attrname-format:basic", Values: []string{"a", "b"}},
			},
		},
		{Index: 7, Names: text("en", "Small"), Attributes: []saml.RequestedAttribute{{Name: "urn:oid:2.5.4.3"}}},
	}
}

// tags lists the children of an element.
func tags(e *etree.Element) (out []string) {
	for _, c := range e.ChildElements() {
		out = append(out, c.FullTag())
	}
	return out
}

func attr(e *etree.Element, name string) string { return e.SelectAttrValue(name, "") }

// Obligations: SDP-MD09, SDP-MD11.
func TestMetadataAboutUs(t *testing.T) {
	root := etreeOf(t, newSP(t, describe)).Root()
	require.Equal(t, "md:Extensions md:SPSSODescriptor md:Organization md:ContactPerson md:ContactPerson "+
		"md:ContactPerson md:ContactPerson", strings.Join(tags(root), " "), "the schema's order")

	ui := root.FindElement("SPSSODescriptor/Extensions/UIInfo")
	require.Equal(t, "R&D <Portal>", ui.FindElement("DisplayName[@lang='en']").Text())
	require.Equal(t, "Zürich", ui.FindElement("DisplayName[@lang='de-CH']").Text())
	require.Equal(t, "https://sp.example/?a=b&c=d", ui.FindElement("InformationURL").Text())
	require.Equal(t, "https://sp.example/privacy#en", ui.FindElement("PrivacyStatementURL").Text())
	require.Equal(t, "80", attr(ui.FindElement("Logo[1]"), "width"))
	require.Equal(t, "60", attr(ui.FindElement("Logo[1]"), "height"))
	require.Len(t, ui.FindElements("Logo"), 2)

	organization := root.FindElement("Organization")
	require.Equal(t, []string{"md:OrganizationName", "md:OrganizationDisplayName", "md:OrganizationURL"},
		tags(organization))
	require.Equal(t, "Example", organization.FindElement("OrganizationDisplayName").Text())

	contacts := root.FindElements("ContactPerson")
	require.Equal(t, "technical", attr(contacts[0], "contactType"))
	require.Equal(t, []string{"md:Company", "md:GivenName", "md:SurName", "md:EmailAddress"}, tags(contacts[0]))
	require.Equal(t, "mailto:t@example.com", contacts[0].FindElement("EmailAddress").Text())
	require.Equal(t, "other", attr(contacts[3], "contactType"))
	require.Equal(t, "http://refeds.org/metadata/contactType/security", attr(contacts[3], "remd:contactType"))

	attributes := root.FindElements("Extensions/EntityAttributes/Attribute")
	require.Len(t, attributes, 2)
	require.Equal(t, "urn:oasis:names:tc:SAML:2.0:attrname-format:uri", attr(attributes[1], "NameFormat"))
	require.Equal(t, "https://refeds.org/sirtfi", attributes[1].FindElement("AttributeValue").Text())

	services := root.FindElements("SPSSODescriptor/AttributeConsumingService")
	require.Len(t, services, 2)
	require.Equal(t, []string{"1", "true", "7", ""}, []string{
		attr(services[0], "index"), attr(services[0], "isDefault"),
		attr(services[1], "index"), attr(services[1], "isDefault"),
	})
	requested := services[0].FindElements("RequestedAttribute")
	require.Equal(t, []string{"true", ""}, []string{attr(requested[0], "isRequired"), attr(requested[1], "isRequired")})
	require.Equal(t, "mail", attr(requested[0], "FriendlyName"))
	require.Len(t, requested[1].FindElements("AttributeValue"), 2)

	all := etreeOf(t, newSP(t)).Root()
	require.Equal(t, []string{"md:Extensions", "md:SPSSODescriptor"}, tags(all))
	require.Nil(t, all.FindElement("SPSSODescriptor/Extensions"))
}

// The configuration belongs to the caller, who may change it afterwards.
func TestAboutIsCopied(t *testing.T) {
	cfg := config()
	describe(&cfg)
	sp, err := saml.New(cfg)
	require.NoError(t, err)
	before, err := sp.Metadata()
	require.NoError(t, err)
	cfg.About.Names[0].Text, cfg.About.Contacts[0].Emails[0] = "changed", "changed@example.com"
	cfg.About.Organization.Names[0].Text, cfg.EntityAttributes[0].Values[0] = "changed", "changed"
	service := &cfg.AttributeConsumingServices[0]
	service.Names[0].Text, service.Attributes[0].Name, service.Attributes[1].Values[0] = "changed", "changed", "changed"
	after, err := sp.Metadata()
	require.NoError(t, err)
	require.Equal(t, string(before), string(after))
	require.Zero(t, service.Index, "the constructor changed the caller's list")
}

// Metadata lists what is accepted, and SHA-1 only if it is.
// Obligations: IIP-MD09, SDP-MD04.
func TestMetadataAlgorithms(t *testing.T) {
	of := func(tag string, change ...func(*saml.Config)) (uris, sizes []string) {
		extensions := etreeOf(t, newSP(t, change...)).Root().FindElement("Extensions")
		for _, e := range extensions.SelectElements(tag) {
			uris = append(uris, attr(e, "Algorithm"))
			sizes = append(sizes, attr(e, "MinKeySize"))
		}
		return uris, sizes
	}
	sha1 := func(c *saml.Config) { c.InsecureAllowSHA1 = true }
	const pss = "http://www.w3.org/2007/05/xmldsig-more#"
	digests, _ := of("DigestMethod")
	require.Equal(t, []string{xmlSHA256, sigMore + "sha384", "http://www.w3.org/2001/04/xmlenc#sha512"}, digests)
	methods, sizes := of("SigningMethod")
	require.Equal(t, []string{
		sigMore + "rsa-sha256", sigMore + "ecdsa-sha256", pss + "sha256-rsa-MGF1",
		sigMore + "rsa-sha384", sigMore + "ecdsa-sha384", pss + "sha384-rsa-MGF1",
		sigMore + "rsa-sha512", sigMore + "ecdsa-sha512", pss + "sha512-rsa-MGF1",
	}, methods)
	require.Equal(t, []string{"2048", "", "2048"}, sizes[:3])

	weak, _ := of("DigestMethod", sha1)
	require.Equal(t, "http://www.w3.org/2000/09/xmldsig#sha1", weak[len(weak)-1])
	weak, sizes = of("SigningMethod", sha1, func(c *saml.Config) { c.InsecureAllowRSA1024 = true })
	require.Equal(t, rsaSHA1, weak[len(weak)-1])
	require.Equal(t, "1024", sizes[0])
}

func TestNewRefusesBadAbout(t *testing.T) {
	const about, services = "Config.About.", "Config.AttributeConsumingServices"
	for field, change := range map[string]func(*saml.Config){
		about + "Names[1].Lang":           func(c *saml.Config) { c.About.Names[1].Lang = "EN" },
		about + "Names[0].Lang":           func(c *saml.Config) { c.About.Names[0].Lang = "" },
		about + "Descriptions[0].Text":    func(c *saml.Config) { c.About.Descriptions[0].Text = " " },
		about + "InformationURLs[0].Text": func(c *saml.Config) { c.About.InformationURLs[0].Text = "javascript:x" },
		about + "PrivacyStatementURLs[0].Text": func(c *saml.Config) {
			c.About.PrivacyStatementURLs[0].Text = "/privacy"
		},
		about + "Logos[0]":                  func(c *saml.Config) { c.About.Logos[0].Width = 0 },
		about + "Logos[1].Lang":             func(c *saml.Config) { c.About.Logos[1].Lang = "e n" },
		about + "Organization.Names":        func(c *saml.Config) { c.About.Organization.Names = nil },
		about + "Organization.URLs":         func(c *saml.Config) { c.About.Organization.URLs = nil },
		about + "Contacts[0].Type":          func(c *saml.Config) { c.About.Contacts[0].Type = "" },
		about + "Contacts[0]":               func(c *saml.Config) { c.About.Contacts[0].Surname = "\x00" },
		about + "Contacts[1]":               func(c *saml.Config) { c.About.Contacts[1].TelephoneNumbers = nil },
		about + "Contacts[2].Emails":        func(c *saml.Config) { c.About.Contacts[2].Emails[1] = "mailto:a@b.example" },
		about + "Contacts[3]":               func(c *saml.Config) { c.About.Contacts[3].GivenName = "" },
		"Config.EntityAttributes[0].Name":   func(c *saml.Config) { c.EntityAttributes[0].Name = "" },
		"Config.EntityAttributes[1].Values": func(c *saml.Config) { c.EntityAttributes[1].Values = nil },
		services + "[1].Index":              func(c *saml.Config) { c.AttributeConsumingServices[1].Index = 1 },
		services + "[0].Names":              func(c *saml.Config) { c.AttributeConsumingServices[0].Names = nil },
		services + "[1].Attributes":         func(c *saml.Config) { c.AttributeConsumingServices[1].Attributes = nil },
		services + "[0].Attributes[1].Name": func(c *saml.Config) { c.AttributeConsumingServices[0].Attributes[1].Name = "" },
		services + "[0].Attributes[1].Values": func(c *saml.Config) {
			c.AttributeConsumingServices[0].Attributes[1].Values[1] = ""
		},
	} {
		cfg := config()
		describe(&cfg)
		change(&cfg)
		_, err := saml.New(cfg)
		var e *saml.Error
		require.ErrorAs(t, err, &e, field)
		require.Equal(t, saml.ReasonConfig, e.Reason, field)
		require.Equal(t, field, e.Rule)
	}
}
