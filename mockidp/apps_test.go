package mockidp_test

import (
	"crypto/x509"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp"
)

// catalogue is a Config with Okta's catalogue app for Identity Center.
func catalogue() mockidp.Config {
	conf := twoRegions()
	a := &conf.Apps[0]
	a.ACS, a.Audience = nil, ""
	a.IdentityCenter = &mockidp.IdentityCenter{ACSURL: virginia, IssuerURL: entityID}
	a.IdentityCenter.ACSURLs[2] = frank // "AWS SSO ACS URL3"
	return conf
}

func TestCatalogueApp(t *testing.T) {
	idp := start(t, catalogue())
	app, _ := idp.App("idc")
	assert.Equal(t, []mockidp.ACS{{URL: virginia, Index: index(0)}, {URL: frank, Index: index(3)}}, app.ACS)
	assert.Equal(t, entityID, app.Audience)
	assert.Contains(t, idp.SSOURL("idc"), "/app/amazon_aws_sso/exk")
	form, err := idp.Answer(redirect(idp, request(attr("AssertionConsumerServiceURL", frank)), ""), alice)
	require.NoError(t, err)
	assert.Equal(t, frank, form.URL)

	// The form takes precedence: a field that is filled in adds a URL.
	updateApp(t, idp, "idc", func(a *mockidp.App) { a.IdentityCenter.ACSURLs[0] = ireland })
	app, _ = idp.App("idc")
	assert.Equal(t, []mockidp.ACS{{URL: virginia, Index: index(0)}, {URL: ireland, Index: index(1)},
		{URL: frank, Index: index(3)}}, app.ACS)
	updateApp(t, idp, "idc", func(a *mockidp.App) { a.ACS, a.Audience = nil, "x" })
	app, _ = idp.App("idc")
	assert.Len(t, app.ACS, 3)
	assert.Equal(t, entityID, app.Audience)

	require.NoError(t, idp.RegisterSP("idc", []byte(spMetadata)))
	app, _ = idp.App("idc")
	assert.Equal(t, frank, app.IdentityCenter.ACSURL)
	assert.Equal(t, virginia, app.IdentityCenter.ACSURLs[0])
	assert.Empty(t, app.IdentityCenter.ACSURLs[2])
	require.NoError(t, idp.SetACS("idc", []mockidp.ACS{{URL: virginia}}))
	app, _ = idp.App("idc")
	assert.Len(t, app.ACS, 1)

	var many []mockidp.ACS
	for i := range 19 {
		many = append(many, mockidp.ACS{URL: fmt.Sprintf("http://sp.localhost/%d", i)})
	}
	require.NoError(t, idp.SetACS("idc", many[:18]))
	assert.Equal(t, mockidp.ReasonConfig, reason(t, idp.SetACS("idc", many)), "one more than the form has fields")
	assert.Equal(t, mockidp.ReasonConfig,
		reason(t, idp.UpdateApp("idc", func(a *mockidp.App) error { a.IdentityCenter.ACSURL = ""; return nil })))
	updateApp(t, idp, "idc", func(a *mockidp.App) { *a.IdentityCenter = mockidp.IdentityCenter{} })
	_, err = idp.IdPInitiated("idc", alice, "")
	assert.Equal(t, mockidp.ReasonNoACS, reason(t, err), "an empty form posts nowhere")
}

func entra() mockidp.Config {
	conf := twoRegions()
	conf.Apps[0].Profile = mockidp.Entra
	conf.Apps[0].ACS = []mockidp.ACS{{URL: virginia}, {URL: frank, Index: index(5), Default: true},
		{URL: ireland, Index: index(0)}}
	return conf
}

func TestEntra(t *testing.T) {
	idp := start(t, entra())
	app, _ := idp.App("idc")
	assert.Regexp(t, `^https://sts\.windows\.net/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/$`, app.Issuer)
	assert.Nil(t, app.ACS[0].Index)
	asks := func(attrs ...string) string {
		form, err := idp.Answer(redirect(idp, request(attrs...), ""), alice)
		require.NoError(t, err)
		return form.URL
	}
	assert.Equal(t, frank, asks(), "the flag makes the default, not the order")
	assert.Equal(t, ireland, asks(attr("AssertionConsumerServiceIndex", "0")))
	assert.Equal(t, virginia, asks(attr("AssertionConsumerServiceURL", virginia)))
	form, err := idp.IdPInitiated("idc", alice, "")
	require.NoError(t, err)
	assert.Equal(t, frank, form.URL)
	b := newBrowser(t, idp)
	page := b.get(redirect(idp, request(attr("AssertionConsumerServiceURL", elsewhere)), ""))
	page.refused(t, 400, mockidp.ReasonUnlistedURL)
	page.contains(t, "AADSTS50011")
	b.get(redirect(idp, request(attr("AssertionConsumerServiceIndex", "1")), "")).contains(t, "AADSTS50011")

	require.NoError(t, idp.SetACS("idc", []mockidp.ACS{{URL: ireland}, {URL: frank}}))
	assert.Equal(t, ireland, asks(), "without a flag the first")
	assert.Equal(t, mockidp.ReasonConfig,
		reason(t, idp.SetACS("idc", []mockidp.ACS{{URL: ireland, Default: true}, {URL: frank, Default: true}})))
	assert.Equal(t, mockidp.ReasonConfig,
		reason(t, idp.SetACS("idc", []mockidp.ACS{{URL: ireland, Index: index(1)}, {URL: frank, Index: index(1)}})))
	assert.Equal(t, mockidp.ReasonConfig, reason(t, idp.UpdateApp("idc", func(a *mockidp.App) error {
		a.Profile, a.ACS = mockidp.Okta, []mockidp.ACS{{URL: ireland, Default: true}}
		return nil
	})), "Okta has no such checkbox")
}

func TestRecipientAndDestination(t *testing.T) {
	conf := twoRegions()
	conf.Apps[0].Recipient, conf.Apps[0].Destination = ireland, elsewhere
	idp := start(t, conf)
	form, err := idp.IdPInitiated("idc", alice, "")
	require.NoError(t, err)
	assert.Equal(t, virginia, form.URL, "the URL itself is unchanged")
	assert.Equal(t, elsewhere, decode(t, form).SelectAttrValue("Destination", ""))
	assert.Equal(t, ireland, attrOf(t, decode(t, form), "//SubjectConfirmationData", "Recipient"))
	form, err = idp.Answer(redirect(idp, request(attr("AssertionConsumerServiceURL", frank)), ""), alice)
	require.NoError(t, err)
	assert.Equal(t, frank, decode(t, form).SelectAttrValue("Destination", ""))
	assert.Equal(t, frank, attrOf(t, decode(t, form), "//SubjectConfirmationData", "Recipient"))
	assert.Equal(t, mockidp.ReasonConfig,
		reason(t, idp.UpdateApp("idc", func(a *mockidp.App) error { a.Recipient = "x"; return nil })))
}

func TestNameIDTemplate(t *testing.T) {
	conf := twoRegions()
	conf.Users[0].Attributes = map[string][]string{"employeeNumber": {"4711"}}
	idp := start(t, conf)
	nameID := func(template, format string) (string, error) {
		updateApp(t, idp, "idc", func(a *mockidp.App) { a.NameIDTemplate, a.NameIDFormat = template, format })
		form, err := idp.IdPInitiated("idc", alice, "")
		if err != nil {
			return "", err
		}
		root := decode(t, form)
		assert.Equal(t, format, attrOf(t, root, "//NameID", "Format"))
		return text(t, root, "//NameID"), nil
	}
	for template, want := range map[string]string{"${user.userName}": alice, "${user.login}": alice,
		"${user.email}": alice, "u-${user.employeeNumber}": "u-4711", "fixed": "fixed"} {
		got, err := nameID(template, mockidp.NameIDPersistent)
		require.NoError(t, err)
		assert.Equal(t, want, got, template)
	}
	_, err := nameID("${user.nothing}", mockidp.NameIDX509Subject)
	assert.Equal(t, mockidp.ReasonNameID, reason(t, err))
	assert.Equal(t, mockidp.ReasonConfig,
		reason(t, idp.UpdateApp("idc", func(a *mockidp.App) error { a.NameIDTemplate = "${x"; return nil })))
}

func TestSeveralGroupStatements(t *testing.T) {
	conf := twoRegions()
	conf.Users[0].Groups = []string{"Engineering", "Finance"}
	conf.Apps[0].GroupAttribute = &mockidp.GroupAttribute{Name: "all"}
	conf.Apps[0].GroupAttributes = []mockidp.GroupAttribute{{Name: "e", Filter: mockidp.StartsWith, Value: "E"},
		{Name: "f", Filter: mockidp.Equals, Value: "Finance"}}
	idp := start(t, conf)
	form, err := idp.IdPInitiated("idc", alice, "")
	require.NoError(t, err)
	assert.Equal(t, map[string][]string{"all": {"Engineering", "Finance"}, "e": {"Engineering", "Everyone"},
		"f": {"Finance"}}, sent(decode(t, form)))
	assert.Equal(t, mockidp.ReasonConfig,
		reason(t, idp.UpdateApp("idc", func(a *mockidp.App) error { a.GroupAttributes[1].Filter = 9; return nil })))
}

func TestSearchOnTheDashboard(t *testing.T) {
	idp := start(t, twoRegions())
	b := newBrowser(t, idp)
	b.signIn(b.get(idp.SignInURL()), alice, mockidp.DefaultPassword).contains(t, `name="q"`)
	search := func(q string) page { return b.get(idp.DashboardURL() + "?q=" + url.QueryEscape(q)) }
	found := search("FRANK")
	found.contains(t, "/home/bookmark/mark")
	found.contains(t, "1 of 2 apps")
	assert.NotContains(t, found.Body, "/sso/saml")
	search("nothing of the kind").contains(t, "None of your apps")
	search("  ").contains(t, "/sso/saml")
	evil := search(`"><script>`)
	assert.NotContains(t, evil.Body, "<script")

	none := newBrowser(t, idp)
	assert.NotContains(t, none.signIn(none.get(idp.SignInURL()), bob, "bob's own").Body, `name="q"`, "nothing to search")
}

func TestAppPage(t *testing.T) {
	conf := catalogue()
	conf.Apps = append(conf.Apps, mockidp.App{ID: "empty", Label: "Empty", Users: []string{alice}})
	conf.Apps[0].GroupAttribute = &mockidp.GroupAttribute{Filter: mockidp.Regex, Value: "^E"}
	idp := start(t, conf)
	b := newBrowser(t, idp)
	b.get(idp.AppURL("idc")).contains(t, `name="password"`)
	b.get(idp.SignInURL()).contains(t, `name="password"`)
	home := b.signIn(b.get(idp.SignInURL()), alice, mockidp.DefaultPassword)
	home.contains(t, `href="`+strings.TrimPrefix(idp.AppURL("idc"), idp.URL)+`"`)
	page := b.get(idp.AppURL("idc"))
	assert.Equal(t, 200, page.Status)
	for _, want := range []string{"AWS SSO ACS URL3", "AWS SSO issuer URL", virginia, frank, entityID,
		idp.MetadataURL("idc"), "groups that match ^E", "response and assertion", "/start"} {
		page.contains(t, want)
	}
	assert.Equal(t, 1, strings.Count(page.Body, ">Default</strong>"))
	b.get(idp.AppURL("mark")).contains(t, "http://eu-central-1.localhost:8712/start")
	b.get(idp.AppURL("empty")).contains(t, "No assertion consumer service yet")
	b.get(idp.URL+"/mockidp/app/none").refused(t, 404, mockidp.ReasonNoSuchApp)
	other := newBrowser(t, idp)
	other.signIn(other.get(idp.SignInURL()), bob, "bob's own")
	other.get(idp.AppURL("idc")).refused(t, 403, mockidp.ReasonNotAssigned)
	assert.Panics(t, func() { idp.AppURL("none") })
}

func TestInvalidApps(t *testing.T) {
	idp := start(t, twoRegions())
	for name, f := range map[string]func(*mockidp.App){
		"profile":            func(a *mockidp.App) { a.Profile = 9 },
		"refusals":           func(a *mockidp.App) { a.Refusals = 9 },
		"catalogue at Entra": func(a *mockidp.App) { a.Profile, a.IdentityCenter = mockidp.Entra, &mockidp.IdentityCenter{} },
		"catalogue's URL":    func(a *mockidp.App) { a.IdentityCenter = &mockidp.IdentityCenter{ACSURL: "x"} },
		"catalogue's doubles": func(a *mockidp.App) {
			a.IdentityCenter = &mockidp.IdentityCenter{ACSURL: frank, ACSURLs: [17]string{frank}}
		},
		"destination": func(a *mockidp.App) { a.Destination = "javascript:alert(1)" },
	} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, mockidp.ReasonConfig,
				reason(t, idp.UpdateApp("idc", func(a *mockidp.App) error { f(a); return nil })))
		})
	}
	assert.Equal(t, mockidp.ReasonConfig,
		reason(t, idp.UpdateApp("mark", func(a *mockidp.App) error { a.SignedRequests = true; return nil })))
	assert.Equal(t, mockidp.ReasonConfig,
		reason(t, idp.UpdateUser(alice, func(u *mockidp.User) error { u.Status = 9; return nil })))
	assert.Equal(t, mockidp.ReasonConfig,
		reason(t, idp.UpdateUser(alice, func(u *mockidp.User) error { u.ID = "/"; return nil })))
}

// The page about an app describes how its answers are protected.
func TestAppPageDescribesProtection(t *testing.T) {
	conf := twoRegions()
	conf.Apps[0].Users = []string{alice}
	idp := start(t, conf)
	cert := start(t, mockidp.Config{Key: otherKey()}).Certificate()
	b := newBrowser(t, idp)
	b.signIn(b.get(idp.SignInURL()), alice, mockidp.DefaultPassword)
	for name, c := range map[string]struct {
		change func(*mockidp.App)
		says   []string
	}{
		"as it is": {func(*mockidp.App) {},
			[]string{"response and assertion", "<dt>Encrypted</dt><dd>no</dd>", "<dt>Requests must be signed</dt><dd>no</dd>",
				"<dt>Honors ForceAuthn</dt><dd>yes</dd>", "<dt>Session lifetime</dt><dd>not stated</dd>",
				"<dd>refused</dd>", "same as the URL"}},
		"response alone": {
			func(a *mockidp.App) { a.Sign = mockidp.SignResponse }, []string{"<dt>Signed</dt><dd>response</dd>"}},
		"assertion alone": {
			func(a *mockidp.App) { a.Sign = mockidp.SignAssertion }, []string{"<dt>Signed</dt><dd>assertion</dd>"}},
		"encrypted": {func(a *mockidp.App) {
			a.EncryptionCertificate, a.Encrypt = cert, &mockidp.Encryption{Method: mockidp.AES256GCM}
		}, []string{"<dt>Encrypted</dt><dd>aes256-gcm</dd>"}},
		"signed requests": {func(a *mockidp.App) {
			a.RequestCertificates, a.SignedRequests = []*x509.Certificate{cert}, true
		}, []string{"<dt>Requests must be signed</dt><dd>yes</dd>", "name the URL of the answer"}},
		"others": {func(a *mockidp.App) {
			a.IgnoreForceAuthn, a.SessionLifetime = true, 90*time.Minute
			a.Unlisted, a.IgnoreNameIDPolicy = mockidp.UseDefault, true
			a.Recipient, a.Destination, a.SignatureMethod = "http://sp.localhost/r", "http://sp.localhost/d", mockidp.RSASHA512
		}, []string{"<dt>Honors ForceAuthn</dt><dd>no</dd>", "1h30m0s", "the default is used",
			"whatever a request asks for", "http://sp.localhost/r", "http://sp.localhost/d", "rsa-sha512"}},
		"groups": {func(a *mockidp.App) {
			a.GroupAttributes = []mockidp.GroupAttribute{{Name: "all"}, {Filter: mockidp.StartsWith, Value: "En"},
				{Name: "e", Filter: mockidp.Equals, Value: "x"}, {Name: "c", Filter: mockidp.Contains, Value: "y"}}
		}, []string{"Attribute all", "all groups", "groups that start with En", "groups equal to x",
			"groups that contain y"}},
	} {
		t.Run(name, func(t *testing.T) {
			before, _ := idp.App("idc")
			updateApp(t, idp, "idc", func(a *mockidp.App) { c.change(a) })
			p := b.get(idp.AppURL("idc"))
			for _, want := range c.says {
				p.contains(t, want)
			}
			updateApp(t, idp, "idc", func(a *mockidp.App) { *a = before })
		})
	}
}

// Asking for the address of an app that does not exist panics.
func TestAddressesOfMissingApps(t *testing.T) {
	idp := start(t, twoRegions())
	for name, f := range map[string]func(string) string{"page": idp.AppURL, "tile": idp.TileURL, "sign-on": idp.SSOURL,
		"metadata": idp.MetadataURL} {
		assert.Panics(t, func() { f("none") }, name)
		assert.NotEmpty(t, f(""), name)
		assert.Equal(t, f(""), f("idc"), "the first SAML app")
	}
	assert.Panics(t, func() { idp.SSOURL("mark") }, "a bookmark speaks no SAML")
	assert.Panics(t, func() { idp.MetadataURL("mark") })
	assert.NotPanics(t, func() { idp.TileURL("mark") })
	require.NoError(t, idp.RemoveApp("idc"))
	assert.Panics(t, func() { idp.TileURL("") }, "no SAML app is left")
}
