package mockidp_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/beevik/etree"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp"
)

// sent returns an assertion's attributes.
func sent(root *etree.Element) map[string][]string {
	out := map[string][]string{}
	for _, at := range root.FindElements("//AttributeStatement/Attribute") {
		for _, v := range at.ChildElements() {
			out[at.SelectAttrValue("Name", "")] = append(out[at.SelectAttrValue("Name", "")], v.Text())
		}
	}
	return out
}

func TestAttributes(t *testing.T) {
	conf := twoRegions()
	conf.Users[0].Attributes = map[string][]string{"role": {"admin", "auditor"}, "sly": {"${user.login}"}}
	conf.Users[0].Groups = []string{"Engineering", "Eng-EU", "Finance"}
	conf.Apps[0].Attributes = []mockidp.Attribute{
		{Name: "mail", Values: []string{"${user.email}"}, NameFormat: mockidp.AttrBasic},
		{Name: "full", Values: []string{"${user.firstName} ${user.lastName}"}},
		{Name: "role", Values: []string{"${user.role}", "fixed"}},
		{Name: "first role", Values: []string{"r:${user.role}"}},
		{Name: "absent", Values: []string{"${user.nothing}"}},
		{Name: "half absent", Values: []string{"x ${user.nothing}"}},
		{Name: "sly", Values: []string{"${user.sly}"}},
		{Name: "empty", Values: []string{""}},
	}
	idp := start(t, conf)
	groups := func(g *mockidp.GroupAttribute) map[string][]string {
		updateApp(t, idp, "idc", func(a *mockidp.App) { a.GroupAttribute = g })
		form, err := idp.IdPInitiated("idc", alice, "")
		require.NoError(t, err)
		return sent(decode(t, form))
	}
	all := groups(nil)
	assert.Equal(t, map[string][]string{"mail": {alice}, "full": {"Alice Example"}, "role": {"admin", "auditor", "fixed"},
		"first role": {"r:admin"}, "sly": {"${user.login}"}, "empty": {""}}, all)
	assert.Equal(t, []string{"Engineering", "Eng-EU", "Finance"}, groups(&mockidp.GroupAttribute{})["groups"])
	for want, g := range map[string]mockidp.GroupAttribute{
		"Engineering,Eng-EU": {Name: "g", Filter: mockidp.StartsWith, Value: "Eng"},
		"Finance":            {Name: "g", Filter: mockidp.Equals, Value: "Finance"},
		"Engineering":        {Name: "g", Filter: mockidp.Contains, Value: "ineer"},
		"Eng-EU":             {Name: "g", Filter: mockidp.Regex, Value: "-[A-Z]{2}$"},
		"Everyone":           {Name: "g", Filter: mockidp.Equals, Value: mockidp.Everyone},
		"":                   {Name: "g", Filter: mockidp.Equals, Value: "No group"},
	} {
		assert.Equal(t, want, strings.Join(groups(&g)["g"], ","))
	}
}

func TestAttributeValuesAreTyped(t *testing.T) {
	conf := twoRegions()
	conf.Apps[0].Attributes = []mockidp.Attribute{{Name: "a", Values: []string{"b"}}}
	idp := start(t, conf)
	form, err := idp.IdPInitiated("idc", alice, "")
	require.NoError(t, err)
	root := decode(t, form)
	assert.Equal(t, "xs:string", attrOf(t, root, "//AttributeValue", "xsi:type"))
	assert.Equal(t, "http://www.w3.org/2001/XMLSchema", attrOf(t, root, "//AttributeValue", "xmlns:xs"))
	assert.Equal(t, mockidp.AttrUnspecified, attrOf(t, root, "//Attribute", "NameFormat"))
}

// Every value in an XML template is escaped.
func TestXMLTemplatesEscape(t *testing.T) {
	files, err := filepath.Glob("templates/*.xml")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	control := regexp.MustCompile(`^(if|with|range|define|template|else|end)\b`)
	for _, file := range files {
		text := string(must(os.ReadFile(file)))
		actions := regexp.MustCompile(`\{\{(.*?)\}\}`).FindAllStringSubmatch(text, -1)
		require.NotEmpty(t, actions, file)
		for _, action := range actions {
			assert.True(t, control.MatchString(action[1]) || strings.HasSuffix(action[1], " | xml"), "%s: %s", file, action[0])
		}
	}
}

// D56: a user who may choose the value of an attribute must not be able to add another one (samlify,
// GHSA-34r5-q4jw-r36m): configured values are sent as text, and add no element and no attribute.
func TestNothingInAConfigurationBecomesMarkup(t *testing.T) {
	for _, evil := range []string{
		`</saml2:AttributeValue></saml2:Attribute><saml2:Attribute Name="role"><saml2:AttributeValue>admin</saml2:AttributeValue></saml2:Attribute>`,
		`" Name="role`, `]]><x/>`, `<!--x-->`, `<![CDATA[x]]>`, `&lt;b&gt;`, `&#x3c;`, "a\r\nb\tc\rd",
		`'"><script>alert(1)</script>`, `$1 ${user.`, "\u2028\u0085\u00a0",
	} {
		conf := twoRegions()
		conf.Users = []mockidp.User{{Login: alice, FirstName: evil, LastName: evil, Email: evil, Groups: []string{evil},
			Attributes: map[string][]string{"evil": {evil}}}}
		name := strings.ReplaceAll(evil, "${", "")
		conf.Apps[0] = mockidp.App{ID: "idc", Label: strings.TrimSpace("L" + evil), Audience: evil, Issuer: evil,
			NameIDFormat: evil, Users: []string{alice},
			ACS: []mockidp.ACS{{URL: ireland}}, GroupAttribute: &mockidp.GroupAttribute{Name: name, NameFormat: name},
			Attributes: []mockidp.Attribute{{Name: "mine", Values: []string{"${user.evil}", "<${user.firstName}>"}}}}
		idp := start(t, conf)
		form, err := idp.IdPInitiated("idc", alice, evil)
		require.NoError(t, err, evil)
		assert.Equal(t, evil, form.RelayState)
		root := decode(t, form)
		var names []string
		for _, at := range root.FindElements("//AttributeStatement/Attribute") {
			names = append(names, at.SelectAttrValue("Name", ""))
		}
		assert.Equal(t, []string{"mine", name}, names)
		assert.Equal(t, []string{evil, "<" + evil + ">"}, sent(root)["mine"])
		assert.Equal(t, []string{evil}, sent(root)[name])
		assert.Equal(t, evil, text(t, root, "./Issuer"))
		assert.Equal(t, evil, text(t, root, "//Audience"))
		assert.Equal(t, evil, attrOf(t, root, "//NameID", "Format"))
		doc := etree.NewDocument()
		require.NoError(t, doc.ReadFromBytes(idp.Metadata("idc")))
		assert.Equal(t, evil, doc.Root().SelectAttrValue("entityID", ""))

		b := newBrowser(t, idp)
		home := b.signIn(b.get(idp.SignInURL()), alice, mockidp.DefaultPassword)
		assert.Equal(t, 200, home.Status)
		assert.NotContains(t, home.Body, "<script")
		assert.NotContains(t, home.Body, "<x/>")
		assert.NotContains(t, home.Body, "<!--x")
	}
}

// An app without statements sends what most service providers read.
func TestDefaultAttributes(t *testing.T) {
	conf := mockidp.Config{Key: rsaKey(), Users: []mockidp.User{
		{Login: alice, FirstName: "Alice", Groups: []string{"Team"},
			Attributes: map[string][]string{"role": {"a", "b"}, "age": {"7"}}},
		{Login: bob, Groups: []string{"Team"}, Attributes: map[string][]string{"groups": {"own"}}},
	}}
	acs := []mockidp.ACS{{URL: frank}}
	everyone := []string{mockidp.Everyone}
	conf.Apps = []mockidp.App{
		{ID: "okta", Label: "Okta", Audience: entityID, ACS: acs, Groups: everyone},
		{ID: "none", Label: "None", Audience: entityID, ACS: acs, Groups: everyone, OmitAttributes: true},
		{ID: "own", Label: "Own", Audience: entityID, ACS: acs, Groups: everyone,
			GroupAttribute: &mockidp.GroupAttribute{Name: "g"}},
		{ID: "entra", Label: "Entra", Audience: entityID, ACS: acs, Groups: everyone, Profile: mockidp.Entra},
		{ID: "idc", Label: "IDC", Groups: everyone,
			IdentityCenter: &mockidp.IdentityCenter{ACSURL: frank, IssuerURL: entityID}},
	}
	idp := start(t, conf)
	sent := func(app, login string) (out []string) {
		form, err := idp.IdPInitiated(app, login, "")
		require.NoError(t, err)
		for _, a := range decode(t, form).FindElements("//Attribute") {
			var values []string
			for _, v := range a.SelectElements("AttributeValue") {
				values = append(values, v.Text())
			}
			out = append(out, a.SelectAttrValue("Name", "")+"="+strings.Join(values, ","))
		}
		return out
	}
	assert.Equal(t, []string{"email=" + alice, "firstName=Alice", "groups=Team", "age=7", "role=a,b"}, sent("okta", alice))
	assert.Equal(t, []string{"email=" + bob, "groups=own"}, sent("okta", bob))
	assert.Empty(t, sent("none", alice))
	assert.Empty(t, sent("idc", alice))
	assert.Equal(t, []string{"g=Team"}, sent("own", alice))
	entra := sent("entra", alice)
	const identity = "http://schemas.microsoft.com/identity/claims/"
	const names = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/"
	for _, want := range []string{identity + "displayname=Alice", identity + "identityprovider=https://sts.windows.net/",
		names + "givenname=Alice", names + "emailaddress=" + alice, names + "name=" + alice, identity + "tenantid=",
		identity + "objectidentifier="} {
		assert.Contains(t, strings.Join(entra, "\n"), want)
	}
	assert.NotContains(t, strings.Join(entra, "\n"), "Team", "an administrator adds the claim of groups")
	_, err := idp.AddApp(mockidp.App{Label: "x", OmitAttributes: true, Attributes: []mockidp.Attribute{{Name: "a"}}})
	assert.Equal(t, mockidp.ReasonConfig, reason(t, err))
}
