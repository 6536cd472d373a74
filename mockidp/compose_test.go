package mockidp_test

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp"
	"github.com/meridian-saml/meridian/saml"
)

func composing() mockidp.Config {
	conf := twoRegions()
	conf.Compose = true
	conf.Apps[0].Attributes = []mockidp.Attribute{{Name: "mail", NameFormat: mockidp.AttrBasic,
		Values: []string{"${user.email}"}}}
	return conf
}

// accepted verifies an answer with Meridian, and returns what it says.
func accepted(t *testing.T, sp *saml.ServiceProvider, f mockidp.Form, requests ...string) *saml.Assertion {
	t.Helper()
	a, err := sp.Verify([]byte(f.SAMLResponse), saml.VerifyOptions{ACS: f.URL, RequestIDs: requests,
		Unsolicited: len(requests) == 0})
	require.NoError(t, err)
	return a
}

// One request without a cookie composes the answer.
func TestComposeByParameters(t *testing.T) {
	idp := start(t, composing())
	sp := meridianSP(t, idp, func(*saml.Config) {})
	get := func(q url.Values) page { return newBrowser(t, idp).get(idp.SSOURL("idc") + "?" + q.Encode()) }

	f := get(url.Values{"login": {alice}}).answer(t)
	a := accepted(t, sp, f)
	assert.Equal(t, alice, a.NameID().Value)
	assert.Equal(t, []string{alice}, a.Values("mail"))
	assert.Equal(t, [2]string{virginia, "/start"}, [2]string{f.URL, f.RelayState})

	// A user who is made up, with attributes of their own, at another URL.
	f = get(url.Values{"login": {"new@x.example"}, "first_name": {"Nell"}, "group": {"a", "b"}, "preset": {"okta"},
		"nameid": {"n-1"}, "nameid_format": {"persistent"}, "acs": {frank}, "relay_state": {"deep"},
		"attr.role": {"r1", "r2"}, "attr.email": {""}, "attr_format": {"uri"}}).answer(t)
	a = accepted(t, sp, f)
	assert.Equal(t, saml.NameID{Value: "n-1", Format: mockidp.NameIDPersistent}, saml.NameID{Value: a.NameID().Value,
		Format: a.NameID().Format})
	assert.Equal(t, [2]string{frank, "deep"}, [2]string{f.URL, f.RelayState})
	assert.Equal(t, []string{"a", "b"}, a.Values("groups"))
	assert.Equal(t, []string{"Nell"}, a.Values("firstName"))
	assert.Equal(t, []string{"r1", "r2"}, a.Values("role"))
	assert.Empty(t, a.Values("email"))
	at := slices.IndexFunc(a.Attributes(), func(x saml.Attribute) bool { return x.Name == "role" })
	assert.Equal(t, mockidp.AttrURI, a.Attributes()[at].NameFormat)

	// To a request, by both bindings; the query of a form's address counts too.
	q, err := url.Parse(redirect(idp, request(), "state"))
	require.NoError(t, err)
	f = newBrowser(t, idp).get(q.String() + "&login=" + bob).answer(t)
	assert.Equal(t, bob, accepted(t, sp, f, "id-1234").NameID().Value)
	assert.Equal(t, "state", f.RelayState)
	form := postForm(request(attr("AssertionConsumerServiceURL", frank)))
	form.Set("login", "x")
	f = newBrowser(t, idp).post(idp.SSOURL("idc")+"?nameid=y", form).answer(t)
	assert.Equal(t, frank, f.URL)
	assert.Equal(t, "y", accepted(t, sp, f, "id-1234").NameID().Value)
	f = newBrowser(t, idp).post(idp.SSOURL("idc"), url.Values{"login": {alice}}).answer(t)
	assert.Equal(t, alice, accepted(t, sp, f).NameID().Value)

	// An error status.
	f = get(url.Values{"status": {"Responder"}, "substatus": {"AuthnFailed"}, "message": {"No"}}).answer(t)
	root := decode(t, f)
	assert.Equal(t, mockidp.StatusAuthnFailed, attrOf(t, root, "./Status/StatusCode/StatusCode", "Value"))
	assert.Equal(t, "No", text(t, root, "./Status/StatusMessage"))
	assert.Nil(t, root.FindElement("//Assertion"))
	m := idp.Messages()
	assert.False(t, m[len(m)-1].Edited)
}

// What a parameter says is checked, and an unknown one is refused.
func TestComposeRefusesParameters(t *testing.T) {
	conf := composing()
	conf.Mutate = func(mockidp.Mutation) (mockidp.Mutated, error) { return mockidp.Mutated{}, nil }
	conf.Mutations = []string{"X1"}
	idp := start(t, conf)
	for query, want := range map[string]string{
		"login=a&logn=b":                                     "unknown parameter",
		"login=a&login=b":                                    "more than once",
		"nameid=a":                                           "login is missing",
		"login=+":                                            "login is missing",
		"login=a&audience=x":                                 "audience is not that of the app",
		"login=a&preset=x":                                   "unknown preset",
		"login=a&nameid_format=x":                            "unknown value of nameid_format",
		"login=a&attr_format=x&attr.b=c":                     "unknown value of attr_format",
		"login=a&acs=http://evil.example/":                   "acs is not on the list",
		"status=Success":                                     "unknown value of status",
		"status=Responder&substatus=x":                       "unknown value of substatus",
		"status=urn:x:y":                                     "Status.Code must be a top-level error code",
		"login=a&message=x":                                  "substatus and message need a status",
		"login=a&attack=X2":                                  "no mutation has the ID",
		"login=a&attack=X1&status=Responder":                 "exclude each other",
		"login=a&attr.=c":                                    "an attribute has no name",
		"login=a&attr.b=" + url.QueryEscape("\x01"):          "not text that XML can hold",
		"login=" + url.QueryEscape("a\x01"):                  "not text that XML can hold",
		"login=" + strings.Repeat("a", 300):                  "User.Login must be",
		"login=a&attr.b=" + strings.Repeat("c&attr.b=", 501): "too many attributes",
	} {
		p := newBrowser(t, idp).get(idp.SSOURL("idc") + "?" + query)
		p.refused(t, 400, mockidp.ReasonParameter)
		assert.Contains(t, strings.ToLower(p.Body), strings.ToLower(want), query)
	}
	p := newBrowser(t, idp).get(redirect(idp, request(), "s") + "&login=a&relay_state=x")
	p.refused(t, 400, mockidp.ReasonParameter)
	for _, m := range idp.Messages() {
		assert.Equal(t, mockidp.Received, m.Direction)
	}
	// Service providers send parameters of their own, which mean nothing.
	newBrowser(t, idp).get(idp.SSOURL("idc")+"?login_hint=a").contains(t, "Send a response")
}

// While the mode is off, parameters and pages are refused.
func TestComposeIsOffByDefault(t *testing.T) {
	idp := start(t, twoRegions())
	b := newBrowser(t, idp)
	page, form := idp.ComposeURL(), url.Values{"login": {alice}, "app": {"idc"}, "xml": {"<a/>"}}
	for _, u := range []string{idp.SSOURL("idc") + "?login=" + alice, idp.SSOURL("idc") + "?attr.a=b",
		redirect(idp, request(), "s") + "&nameid=x", page + "?app=idc", page + "/xml?app=idc"} {
		b.get(u).refused(t, 400, mockidp.ReasonParameter)
	}
	b.post(idp.SSOURL("idc"), url.Values{"login": {alice}}).refused(t, 400, mockidp.ReasonParameter)
	b.post(page, form).refused(t, 400, mockidp.ReasonParameter)
	b.post(page+"/xml", form).refused(t, 400, mockidp.ReasonParameter)
}

// A page of another site can't start a sign-in, and no page under another name of the host can.
func TestComposeFromOtherSites(t *testing.T) {
	idp := start(t, composing())
	send := func(method, address string, form url.Values, header, value string) int {
		r, err := http.NewRequest(method, address, strings.NewReader(form.Encode()))
		require.NoError(t, err)
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		if header == "Host" {
			r.Host = value
		} else {
			r.Header.Set(header, value)
		}
		resp, err := idp.Client().Do(r)
		require.NoError(t, err)
		_ = resp.Body.Close()
		return resp.StatusCode
	}
	at, form := idp.SSOURL("idc")+"?login="+alice, url.Values{"login": {alice}, "app": {"idc"}, "filled_for": {alice}}
	for _, site := range []string{"cross-site", "same-site"} {
		assert.Equal(t, 400, send("GET", at, nil, "Sec-Fetch-Site", site))
		assert.Equal(t, 400, send("POST", idp.SSOURL("idc"), url.Values{"login": {alice}}, "Sec-Fetch-Site", site))
		assert.Equal(t, 400, send("POST", idp.ComposeURL(), form, "Sec-Fetch-Site", site))
		assert.Equal(t, 400, send("POST", idp.ComposeURL()+"/xml", form, "Sec-Fetch-Site", site))
		assert.Equal(t, 200, send("GET", redirect(idp, request(), "s")+"&login="+alice, nil, "Sec-Fetch-Site", site),
			"with a request, the service provider's page leads here")
	}
	assert.Equal(t, 400, send("POST", idp.ComposeURL(), form, "Origin", "http://evil.example"))
	assert.Equal(t, 421, send("GET", at, nil, "Host", "evil.example"))
	assert.Equal(t, 421, send("POST", idp.ComposeURL(), form, "Host", "evil.example"))
	assert.Equal(t, 200, send("GET", at, nil, "Sec-Fetch-Site", "none"))
	assert.Equal(t, 200, send("POST", idp.ComposeURL(), form, "Sec-Fetch-Site", "same-origin"))
}

// Each preset sends what its product sends, and Meridian reads it.
func TestPresets(t *testing.T) {
	conf := composing()
	conf.Users[0].Email = "a@mail.example"
	idp := start(t, conf)
	sp := meridianSP(t, idp, func(*saml.Config) {})
	const claims = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/"
	for preset, want := range map[string]struct {
		nameID, format, mail, mailFormat, groups string
	}{
		"":           {alice, mockidp.NameIDEmail, "mail", mockidp.AttrBasic, ""},
		"okta":       {alice, mockidp.NameIDUnspecified, "email", mockidp.AttrUnspecified, "groups"},
		"entra":      {alice, mockidp.NameIDEmail, claims + "emailaddress", "", "http://schemas.microsoft.com/ws/2008/06/identity/claims/groups"},
		"adfs":       {alice, mockidp.NameIDUnspecified, claims + "emailaddress", "", "http://schemas.xmlsoap.org/claims/Group"},
		"google":     {"a@mail.example", mockidp.NameIDUnspecified, "email", "", "groups"},
		"keycloak":   {alice, mockidp.NameIDUnspecified, "urn:oid:1.2.840.113549.1.9.1", mockidp.AttrURI, "Role"},
		"shibboleth": {"", mockidp.NameIDTransient, "urn:oid:0.9.2342.19200300.100.1.3", mockidp.AttrURI, "urn:oid:1.3.6.1.4.1.5923.1.5.1.1"},
	} {
		q := url.Values{"login": {alice}, "preset": {preset}}
		f := newBrowser(t, idp).get(idp.SSOURL("idc") + "?" + q.Encode()).answer(t)
		a := accepted(t, sp, f)
		assert.Equal(t, cmp.Or(want.nameID, a.NameID().Value), a.NameID().Value, preset)
		assert.NotEmpty(t, a.NameID().Value)
		assert.Equal(t, want.format, a.NameID().Format, preset)
		assert.Equal(t, []string{"a@mail.example"}, a.Values(want.mail), preset)
		at := slices.IndexFunc(a.Attributes(), func(x saml.Attribute) bool { return x.Name == want.mail })
		assert.Equal(t, want.mailFormat, a.Attributes()[at].NameFormat, preset)
		if want.groups != "" {
			assert.Equal(t, []string{"Engineering"}, a.Values(want.groups), preset)
		}
	}
}

// An attack by a parameter replaces this answer, and gets the user who was composed.
func TestComposeAttack(t *testing.T) {
	conf := composing()
	conf.Mutations = []string{"X1"}
	conf.Mutate = func(m mockidp.Mutation) (mockidp.Mutated, error) {
		if m.ID == "" {
			return mockidp.Mutated{}, nil
		}
		return mockidp.Mutated{Response: []byte("<" + m.ID + " of='" + m.User.Login + "'/>"), ACS: frank}, nil
	}
	idp := start(t, conf)
	f := newBrowser(t, idp).get(idp.SSOURL("idc") + "?login=made@up.example&attack=X1").answer(t)
	assert.Equal(t, "X1", decode(t, f).Tag)
	assert.Equal(t, "made@up.example", attrOf(t, decode(t, f), ".", "of"))
	m := idp.Messages()
	assert.Equal(t, "X1", m[len(m)-1].Attack)
}
