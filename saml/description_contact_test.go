package saml_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/saml"
)

// withSupport is the metadata of an identity provider whose role has these attributes and
// contacts, and whose entity has these.
func withSupport(t testing.TB, attributes, role, entity string) []byte {
	t.Helper()
	m := idpMetadata(t, ` xmlns:remd="http://refeds.org/metadata"`, "signing", "")
	m = strings.Replace(m, "<md:IDPSSODescriptor ", "<md:IDPSSODescriptor "+attributes+" ", 1)
	m = strings.Replace(m, "</md:IDPSSODescriptor>", role+"</md:IDPSSODescriptor>"+entity, 1)
	return []byte(m)
}

// support is the description of withSupport. Both ways to it agree.
func support(t testing.TB, attributes, role, entity string) saml.Description {
	t.Helper()
	metadata := withSupport(t, attributes, role, entity)
	idp, err := saml.ParseIdPMetadata(metadata)
	require.NoError(t, err)
	a, err := saml.ParseAggregate(metadata)
	require.NoError(t, err)
	all := slices.Collect(a.Descriptions())
	require.Equal(t, []saml.Description{idp.Description()}, all)
	return idp.Description()
}

func contact(attributes, content string) string {
	return `<md:ContactPerson ` + attributes + `>` + content + `</md:ContactPerson>`
}

func emailAddress(address string) string { return "<md:EmailAddress>" + address + "</md:EmailAddress>" }

func TestContacts(t *testing.T) {
	d := support(t, ``,
		contact(`contactType="support"`, `<md:Company>One</md:Company><md:GivenName> Help
			Desk</md:GivenName><md:SurName>of One</md:SurName>`+
			emailAddress("mailto:help@one.example")+emailAddress("b@one.example")+
			`<md:TelephoneNumber>+1 555 0100</md:TelephoneNumber>`+
			`<x:GivenName xmlns:x="urn:x">another namespace</x:GivenName>`),
		contact(`contactType="technical"`, emailAddress("MAILTO:it@one.example"))+
			contact(`contactType="other" remd:contactType="http://refeds.org/metadata/contactType/security"`,
				`<md:GivenName>CERT</md:GivenName>`+emailAddress("cert@one.example"))+
			contact(`contactType="support"`, `<md:GivenName>Without an address</md:GivenName>`)+
			contact(`contactType="security"`, emailAddress("x@one.example")))
	require.Equal(t, []saml.Contact{
		{
			Type: saml.ContactSupport, Company: "One", GivenName: "Help Desk", Surname: "of One",
			Emails: []string{"help@one.example", "b@one.example"}, TelephoneNumbers: []string{"+1 555 0100"},
		},
		{Type: saml.ContactTechnical, Emails: []string{"it@one.example"}},
		{Type: saml.ContactSecurity, GivenName: "CERT", Emails: []string{"cert@one.example"}},
		{Type: saml.ContactOther, Emails: []string{"x@one.example"}},
	}, d.Contacts)
}

// Our own metadata is read as it was written.
func TestContactsOfOurMetadata(t *testing.T) {
	want := []saml.Contact{
		{Type: saml.ContactSupport, GivenName: "Help", Surname: "Desk", Emails: []string{"help@one.example"}},
		{Type: saml.ContactSecurity, GivenName: "CERT", Emails: []string{"a@one.example"}, TelephoneNumbers: []string{"1"}},
	}
	sp := newSP(t, func(c *saml.Config) { c.About.Contacts = want })
	ours, err := sp.Metadata()
	require.NoError(t, err)
	text := string(ours)
	text = text[strings.Index(text, "<md:ContactPerson"):strings.Index(text, "</md:EntityDescriptor>")]
	require.Equal(t, want, support(t, ``, ``, text).Contacts)

	sp.About().Contacts[0].Emails[0] = "changed"
	require.Equal(t, want, sp.About().Contacts, "a copy")
}

// Nothing in a contact can change the link or the page that shows it.
func TestContactsThatAreHostile(t *testing.T) {
	for _, address := range []string{
		"javascript:alert(1)", "https://one.example", "mailto:", "mailto:a", "mailto:a@one.example?bcc=x@evil.example",
		"mailto:a@one.example%0d%0aBcc:x@evil.example", "mailto:mailto:a@one.example", "a@one.example,b@evil.example",
		"a@b@one.example", "a b@one.example", `"a"@one.example`, "a&lt;@one.example", "a@one.example#",
		"a\u202eb@one.example", "a@one.example\u200b", strings.Repeat("a", 250) + "@one.example", "a@",
		"@one.example", "a&amp;b@one.example",
	} {
		require.Empty(t, support(t, ``, contact(`contactType="support"`, emailAddress(address)), ``).Contacts, address)
	}
	many := contact(`contactType="support"`, strings.Repeat(emailAddress("a@one.example"), 100)+
		strings.Repeat("<md:TelephoneNumber>"+strings.Repeat("1", 500)+"</md:TelephoneNumber>", 100)+
		"<md:GivenName>a\u202eb"+strings.Repeat("x", 1000)+"</md:GivenName>")
	d := support(t, ``, strings.Repeat(many, 50), strings.Repeat(many, 50))
	require.Len(t, d.Contacts, 16)
	require.Len(t, d.Contacts[0].Emails, 4)
	require.Len(t, d.Contacts[0].TelephoneNumbers, 4)
	require.Len(t, d.Contacts[0].TelephoneNumbers[0], 64)
	require.Equal(t, "ab"+strings.Repeat("x", 198), d.Contacts[0].GivenName)
}

func TestErrorURLs(t *testing.T) {
	for raw, ok := range map[string]bool{
		"https://one.example/help": true, " https://one.example/help?a=1&amp;b=2#c ": true, "https://one.example": true,
		"http://localhost:8080/help": true, "http://127.0.0.1/help": true,
		"http://one.example/help": false, "javascript:alert(1)": false, "//one.example/help": false, "/help": false,
		"mailto:a@one.example": false, "data:text/html,x": false, "https://user:secret@one.example/": false,
		"https:///x": false, "https://one.example/a b": false, "https://one.example/a&#10;b": false,
		"https://\u043fne.example/": false, "https://one.example/%zz": false, "": false,
		"https://one.example/" + strings.Repeat("x", 2048): false,
	} {
		got := support(t, `errorURL="`+raw+`"`, ``, ``).ErrorURL
		require.Equal(t, ok, got != "", raw)
		if ok {
			require.Equal(t, strings.ReplaceAll(strings.TrimSpace(raw), "&amp;", "&"), got)
		}
	}
}

// What a program does with a Description changes no other's.
func TestDescriptionIsACopy(t *testing.T) {
	metadata := withSupport(t, ``, contact(`contactType="support"`, emailAddress("a@one.example")), ``)
	idp, err := saml.ParseIdPMetadata(metadata)
	require.NoError(t, err)
	idp.Description().Contacts[0].Emails[0] = "changed"
	idp.Description().Contacts[0].GivenName = "changed"
	want := []saml.Contact{{Type: saml.ContactSupport, Emails: []string{"a@one.example"}}}
	require.Equal(t, want, idp.Description().Contacts)

	narrowed, err := idp.Until(now).WithPolicy(saml.IdPPolicy{RefuseUnsolicited: true})
	require.NoError(t, err)
	require.Equal(t, idp.Description(), narrowed.Description())

	bare, err := saml.NewIdP(saml.IdPConfig{EntityID: idpEntity, Certificates: idp.Certificates()})
	require.NoError(t, err)
	require.Equal(t, saml.Description{EntityID: idpEntity}, bare.Description())
}
