package oktaapi_test

import (
	"encoding/pem"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp"
	"github.com/meridian-saml/meridian/mockidp/testkit"
)

func app(t *testing.T, idp *mockidp.Server, id string) mockidp.App {
	t.Helper()
	a, ok := idp.App(id)
	require.True(t, ok, id)
	return a
}

func spCertificate() string {
	c := testkit.Certificate(testkit.RSAKey("sp"), time.Now())
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw}))
}

func TestConsoleCreatesApps(t *testing.T) {
	t.Parallel()
	idp := start(t, twoRegions())
	c := openConsole(t, idp)
	c.fill("/new-app?kind=saml", "id", "wiki", "label", "Wiki", "audience", "https://wiki.example", "acs.url",
		"https://wiki.example/acs", "acs.index", "").has(t, "Created.", "https://wiki.example/acs")
	a := app(t, idp, "wiki")
	assert.Equal(t, "https://wiki.example", a.Audience)
	assert.Equal(t, "https://wiki.example/acs", a.DefaultACS().URL)
	c.fill("/new-app?kind=entra", "id", "crm", "label", "CRM").has(t, "SAML 2.0, like Entra ID")
	assert.Equal(t, mockidp.Entra, app(t, idp, "crm").Profile)
	c.fill("/new-app?kind=identity-center", "id", "ic", "label", "IC", "acsURL", virginia, "acsURL3", frank, "issuerURL",
		entityID).has(t, "AWS IAM Identity Center")
	a = app(t, idp, "ic")
	assert.Equal(t, frank, a.IdentityCenter.ACSURLs[2])
	assert.Equal(t, uint16(3), *a.ACS[1].Index)
	c.fill("/new-app?kind=bookmark", "id", "blog", "label", "Blog", "url", "https://blog.example/").has(t, "Bookmark")
	c.page("/apps?q=blog").has(t, "1–1 of 1", "https://blog.example/")
	assert.Equal(t, 404, c.get(c.at+"/apps/blog/keys").Status)
}

// Every problem of an app is shown at its input.
func TestConsoleRefusesAnApp(t *testing.T) {
	t.Parallel()
	idp := start(t, twoRegions())
	c := openConsole(t, idp)
	for _, test := range []struct{ path, input, value string }{
		{"/apps/idc", "label", " "},
		{"/apps/idc", "label", strings.Repeat("x", 201)},
		{"/apps/idc", "acs.url", "ftp://sp.example/"},
		{"/apps/idc", "acs.index", "70000"},
		{"/apps/idc", "acs.index", "1"},
		{"/apps/idc", "recipient", "x"},
		{"/apps/idc", "destination", "x"},
		{"/apps/idc", "relayState", strings.Repeat("x", 2000)},
		{"/apps/idc", "nameIDTemplate", "${x}"},
		{"/apps/idc", "sign", "4"},
		{"/apps/idc", "keyID", "none"},
		{"/apps/idc", "encryptionCertificate", "x"},
		{"/apps/idc", "encryptionCertificate", spCertificate() + spCertificate()},
		{"/apps/idc", "requestCertificates", "-----BEGIN CERTIFICATE-----"},
		{"/apps/idc", "sessionLifetime", "soon"},
		{"/apps/idc", "sessionLifetime", "-1h"},
		{"/apps/idc", "attributes.values", "x"},
		{"/apps/idc", "groupAttributes.value", "x"},
		{"/apps/mark", "url", "x"},
		{"/new-app?kind=bookmark", "label", ""},
		{"/new-app?kind=saml", "id", "a b"},
		{"/new-app?kind=saml", "id", "idc"},
		{"/new-app?kind=identity-center", "acsURL5", frank},
	} {
		name := fmt.Sprintf("%s %s=%.20s", test.path, test.input, test.value)
		v := filled(t, c.page(test.path))
		if test.input != "label" && v.Get("label") == "" {
			v.Set("label", "New")
		}
		v[test.input][0] = test.value
		p := c.send(test.path, v)
		require.Equal(t, 422, p.Status, name)
		input, _, _ := strings.Cut(test.input, ".")
		if test.input == "acsURL5" {
			input = "acsURL"
		}
		p.has(t, `id="f-`+input+`-problem"`)
		for name, list := range v {
			for i, s := range list { // as browsers send it
				v[name][i] = strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\n", "\r\n")
			}
		}
		assert.Equal(t, v, filled(t, p), name)
	}
	p := c.fill("/apps/idc", "omitAttributes", "on", "attributes.name", "mail", "attributes.values", "x")
	assert.Equal(t, 422, p.Status)
	p.has(t, `id="f-omitAttributes-problem"`)
	assert.Len(t, idp.Apps(), 2)
}

// A saved form changes nothing by itself, whatever the app has.
func TestConsoleKeepsAnApp(t *testing.T) {
	t.Parallel()
	conf := twoRegions()
	conf.Apps[0].Attributes = []mockidp.Attribute{
		{Name: " a ", NameFormat: "urn:x", Values: []string{"one\r\ntwo", " 3 "}}}
	conf.Apps[0].GroupAttribute = &mockidp.GroupAttribute{Filter: mockidp.Regex, Value: "^E"}
	conf.Apps[0].NameIDFormat, conf.Apps[0].AuthnContext = "urn:x", " urn:y "
	conf.Apps[0].SessionLifetime = 90 * time.Minute
	conf.Apps[0].Encrypt = &mockidp.Encryption{KeyTransport: mockidp.RSAOAEP, Digest: mockidp.SHA256, KeyBeside: true}
	conf.Apps[0].IgnoreForceAuthn = true
	conf.Apps = append(conf.Apps, mockidp.App{ID: "crm", Label: "CRM", Profile: mockidp.Entra,
		ACS: []mockidp.ACS{{URL: virginia}, {URL: frank, Default: true, Index: new(uint16(7))}}})
	idp := start(t, conf)
	c := openConsole(t, idp)
	for _, a := range idp.Apps() {
		c.fill("/apps/"+a.ID).has(t, "Saved.")
		assert.Equal(t, a, app(t, idp, a.ID))
	}
}

func TestConsoleEditsAnApp(t *testing.T) {
	t.Parallel()
	idp := start(t, twoRegions())
	c := openConsole(t, idp)
	v := filled(t, c.page("/apps/idc"))
	v.Set("row", "acs:up:2")
	v = filled(t, c.send("/apps/idc", v))
	v.Set("row", "acs:add")
	v = filled(t, c.send("/apps/idc", v))
	v["acs.url"][2] = ireland
	v["attributes.name"], v["attributes.format"] = []string{"mail"}, []string{mockidp.AttrBasic}
	v["attributes.values"] = []string{"${user.email}\r\nx"}
	v["groupAttributes.name"], v["groupAttributes.format"] = []string{"g"}, []string{""}
	v["groupAttributes.filter"], v["groupAttributes.value"] = []string{"STARTS_WITH"}, []string{"Eng"}
	delete(v, "honorForceAuthn")
	c.send("/apps/idc", v, "profile", fmt.Sprint(int(mockidp.Okta)), "sign", fmt.Sprint(int(mockidp.SignAssertion)),
		"signatureMethod", string(mockidp.RSASHA512), "encryption", string(mockidp.AES128GCM), "keyTransport",
		string(mockidp.RSAOAEP), "encryptionCertificate", spCertificate(), "requestCertificates",
		spCertificate()+spCertificate(), "signedRequests", "on", "sessionLifetime", "8h").has(t, "Saved.")
	a := app(t, idp, "idc")
	var urls []string
	for _, x := range a.ACS {
		urls = append(urls, fmt.Sprint(*x.Index, " ", x.URL))
	}
	assert.Equal(t, []string{"1 " + frank, "0 " + virginia, "2 " + ireland}, urls)
	assert.Equal(t, []mockidp.Attribute{{Name: "mail", NameFormat: mockidp.AttrBasic,
		Values: []string{"${user.email}", "x"}}}, a.Attributes)
	assert.Equal(t, []mockidp.GroupAttribute{{Name: "g", Filter: mockidp.StartsWith, Value: "Eng"}}, a.GroupStatements())
	assert.Equal(t, mockidp.Encryption{Method: mockidp.AES128GCM, KeyTransport: mockidp.RSAOAEP, Digest: mockidp.SHA1,
		MGF: mockidp.SHA1}, *a.Encrypt)
	assert.Len(t, a.RequestCertificates, 2)
	assert.True(t, a.SignedRequests && a.IgnoreForceAuthn)
	assert.Equal(t, mockidp.SignAssertion, a.Sign)
	assert.Equal(t, 8*time.Hour, a.SessionLifetime)

	// Another key transport drops the hashes that it doesn't have; "no" ends encryption and keeps the certificate.
	c.fill("/apps/idc", "keyTransport", string(mockidp.InsecureRSA15)).has(t, "Saved.")
	assert.Equal(t, mockidp.Encryption{Method: mockidp.AES128GCM, KeyTransport: mockidp.InsecureRSA15},
		*app(t, idp, "idc").Encrypt)
	c.fill("/apps/idc", "encryption", "").has(t, "Saved.")
	assert.Nil(t, app(t, idp, "idc").Encrypt)
	assert.NotNil(t, app(t, idp, "idc").EncryptionCertificate)
	c.press("/apps/idc/status", "to", "inactive").has(t, "Deactivated.", "inactive")
	assert.True(t, app(t, idp, "idc").Inactive)
	c.press("/apps/idc/status", "to", "active").has(t, "Activated.")
}

func TestConsoleAssignments(t *testing.T) {
	t.Parallel()
	idp := start(t, twoRegions())
	c := openConsole(t, idp)
	const path = "/apps/idc/assignments"
	c.page(path).has(t, "Engineering")
	c.press(path, "user", bob).has(t, "Added.", bob)
	c.press(path, "group", "Everyone").has(t, "Added.")
	a := app(t, idp, "idc")
	assert.Equal(t, []string{bob}, a.Users)
	assert.Equal(t, []string{"Engineering", "Everyone"}, a.Groups)
	p := c.press(path, "user", "<dave>")
	assert.Equal(t, 422, p.Status)
	p.has(t, "There is no user", `id="user-problem"`, `value="&lt;dave&gt;"`)
	c.press(path, "group", "Sales").has(t, "There is no group", `id="group-problem"`, `value="Sales"`)
	c.press(path, "remove-user", bob).has(t, "Removed.")
	c.press(path, "remove-group", "Everyone")
	a = app(t, idp, "idc")
	assert.Empty(t, a.Users)
	assert.Equal(t, []string{"Engineering"}, a.Groups)
}

func TestConsoleRegistersAServiceProvider(t *testing.T) {
	t.Parallel()
	idp := start(t, twoRegions())
	c := openConsole(t, idp)
	const metadata = `<EntityDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata" entityID="https://sp2.example">
		<SPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol"><AssertionConsumerService
		Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="https://sp2.example/acs" index="4"/></SPSSODescriptor>
		</EntityDescriptor>`
	p := c.press("/apps/idc/metadata", "metadata", "<no/>")
	assert.Equal(t, 422, p.Status)
	p.has(t, "The service provider's metadata", "&lt;no/&gt;</textarea>")
	c.press("/apps/idc/metadata", "metadata", "\r\n"+metadata).has(t, "Registered.", "https://sp2.example/acs")
	assert.Equal(t, "https://sp2.example", app(t, idp, "idc").Audience)

	// Metadata alone makes an app.
	c.page("/apps").has(t, "/new-app-by-metadata")
	p = c.press("/new-app-by-metadata", "metadata", "<no/>")
	assert.Equal(t, 422, p.Status)
	p.has(t, "The service provider's metadata", "&lt;no/&gt;</textarea>")
	p = c.press("/new-app-by-metadata", "metadata", strings.ReplaceAll(metadata, "sp2", "sp3"))
	p.has(t, "Registered.", "https://sp3.example/acs")
	assert.Len(t, idp.Apps(), 3)
}

// The form has each field of an app, or the field is edited elsewhere.
func TestConsoleHasEveryFieldOfAnApp(t *testing.T) {
	t.Parallel()
	inputs := map[string]string{"ID": "id", "ExternalKey": "externalKey", "Name": "name", "Label": "label", "URL": "url",
		"Profile": "profile", "IdentityCenter": "acsURL", "Issuer": "issuer", "Audience": "audience",
		"RequireIssuer": "requireIssuer", "ACS": "acs.url", "Unlisted": "unlisted", "Recipient": "recipient",
		"Destination": "destination", "DefaultRelayState": "relayState", "NameIDFormat": "nameIDFormat",
		"NameIDTemplate": "nameIDTemplate", "IgnoreNameIDPolicy": "ignoreNameIDPolicy", "Attributes": "attributes.name",
		"OmitAttributes": "omitAttributes",
		"GroupAttribute": "groupAttributes.name", "GroupAttributes": "groupAttributes.name", "Sign": "sign",
		"SignatureMethod": "signatureMethod", "KeyID": "keyID", "OmitKeyInfo": "omitKeyInfo", "Encrypt": "encryption",
		"EncryptionCertificate": "encryptionCertificate", "SignedRequests": "signedRequests",
		"RequestCertificates": "requestCertificates", "IgnoreForceAuthn": "honorForceAuthn",
		"LogoutURL": "logoutURL", "LogoutResponseURL": "logoutResponseURL", "LogoutBinding": "logoutBinding",
		"InsecureUnsignedLogout": "insecureUnsignedLogout", "EncryptedNameIDs": "encryptedNameIDs",
		"LogoutSOAPURL": "logoutSOAPURL", "LogoutChannel": "logoutChannel",
		"AuthnContext": "authnContext", "Refusals": "refusals", "ResponseBinding": "responseBinding",
		"AttributeQueries": "attributeQueries", "SessionLifetime": "sessionLifetime"}
	elsewhere := []string{"Kind", "Inactive", "Users", "Groups"} // chosen before, a button, the page Assignments
	idp := start(t, twoRegions())
	c := openConsole(t, idp)
	all := ""
	for _, kind := range []string{"saml", "identity-center", "bookmark"} {
		all += c.page("/new-app?kind=" + kind).Body
	}
	for _, f := range reflect.VisibleFields(reflect.TypeFor[mockidp.App]()) {
		if slices.Contains(elsewhere, f.Name) {
			continue
		}
		require.Contains(t, inputs, f.Name, "a field that the form of the Admin Console lacks")
		assert.True(t, strings.Contains(all, `name="`+inputs[f.Name]+`"`), f.Name)
	}
}
