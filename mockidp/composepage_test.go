package mockidp_test

import (
	"crypto"
	"encoding/base64"
	"fmt"
	"html"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp"
	"github.com/meridian-saml/meridian/mockidp/hostile"
	"github.com/meridian-saml/meridian/saml"
)

// A request leads to the page, which is filled in, and its form is the answer.
func TestComposePage(t *testing.T) {
	conf := composing()
	conf.Users[0].Groups = []string{"Engineering", "Two words"}
	idp := start(t, conf)
	sp := meridianSP(t, idp, func(*saml.Config) {})
	b := newBrowser(t, idp)
	p := b.get(redirect(idp, request(), "state"))
	assert.Equal(t, "/login/compose", p.URL.Path)
	for _, want := range []string{"It answers the request <code>id-1234</code>", "it signs anything for everyone",
		`value="` + alice + `"`, "Engineering\nTwo words\n", "-----BEGIN CERTIFICATE-----", "Cancel and go back"} {
		p.contains(t, want)
	}
	v := p.fields()
	v.Set("login", alice)
	v.Set("nameid", "other")
	v.Set("nameid_format", mockidp.NameIDPersistent)
	v.Set("acs", frank)
	v["attr_name"] = []string{"a", "", "b"}
	v["attr_format"] = []string{mockidp.AttrURI, "", ""}
	v["attr_values"] = []string{"1\r\n2\r\n", "dropped", ""}
	f := b.post(idp.ComposeURL(), v).answer(t)
	a := accepted(t, sp, f, "id-1234")
	assert.Equal(t, [3]string{frank, "state", "other"}, [3]string{f.URL, f.RelayState, a.NameID().Value})
	assert.Equal(t, []string{"1", "2"}, a.Values("a"))
	assert.Equal(t, []string{""}, a.Values("b"))
	require.Len(t, a.Attributes(), 2)

	// The browser isn't signed in, and the page can be used again.
	b.get(idp.DashboardURL()).contains(t, `name="password"`)
	b.post(idp.ComposeURL(), v).answer(t)
	// Another login was typed: what is filled in for that user is shown before it is sent.
	b.get(idp.ComposeURL()+"?app=idc&login=new@example.com").contains(t, "made up")
	v.Set("login", "new@x.example")
	changed := b.post(idp.ComposeURL(), v)
	changed.contains(t, "Another user was typed")
	changed.contains(t, `name="nameid" type="text" value="new@x.example"`)
	changed.contains(t, "made up")
	// What can't be sent is shown again.
	v.Set("filled_for", v.Get("login"))
	v["attr_values"] = []string{"kept \x01", "", ""}
	failed := b.post(idp.ComposeURL(), v)
	assert.Equal(t, 400, failed.Status)
	failed.contains(t, "Nothing was sent: the response: not text that XML can hold")
	failed.contains(t, "kept ")
	failed.contains(t, `value="other"`)
	v.Set("acs", "http://evil.example/")
	b.post(idp.ComposeURL(), v).refused(t, 400, mockidp.ReasonParameter)
	v.Set("pending", "forged")
	stale := b.post(idp.ComposeURL(), v)
	stale.refused(t, 404, mockidp.ReasonRequestNotFound)
	stale.contains(t, "Go back to Identity Center")
}

// The buttons of the page lead back to it, by GET, and lose nothing.
func TestComposePageButtons(t *testing.T) {
	conf := composing()
	hostile.Arm(&conf)
	for i := range 300 {
		conf.Users = append(conf.Users, mockidp.User{Login: fmt.Sprintf("u%03d@example.com", i), LastName: "Número"})
	}
	idp := start(t, conf)
	b := newBrowser(t, idp)
	get := func(q string) page { return b.get(idp.ComposeURL() + "?app=idc&" + q) }
	rows := "login=x&filled_for=x&nameid=kept&attr_name=a&attr_name=b&attr_format=&attr_format=&attr_values=1" +
		"&attr_values=2"
	shown := func(p page) int { return strings.Count(p.Body, `name="attr_name"`) }

	assert.Equal(t, 1, shown(get("login="+alice)))
	p := get("login=x&preset=okta&nameid=n&nameid_format=persistent&attr.a=b") // those of a sign-on address
	assert.Equal(t, 2, shown(p), "email, which is the login, and a")
	p.contains(t, `name="nameid" type="text" value="n"`)
	p.contains(t, mockidp.NameIDPersistent+`" selected`)
	get("login=x&nameid_format=y").refused(t, 400, mockidp.ReasonParameter)
	p = get(rows)
	assert.Equal(t, 2, shown(p))
	p.contains(t, `value="kept"`)
	assert.Equal(t, 3, shown(get(rows+"&do=add")))
	p = get(rows + "&do=remove-0")
	assert.Equal(t, 1, shown(p))
	p.contains(t, `value="b"`)
	for _, odd := range []string{"remove-7", "remove--1", "remove-x", "nonsense"} {
		assert.Equal(t, 2, shown(get(rows+"&do="+odd)))
	}
	p = get(rows + "&do=fill&preset=adfs&email=m@x.example")
	p.contains(t, "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn")
	p.contains(t, `name="nameid" type="text" value="x"`)

	// A search lists at most eight users.
	p = get("q=" + url.QueryEscape("NÚMERO u01"))
	p.contains(t, "10 of 302 users. These are the first 8.")
	assert.Equal(t, 8, strings.Count(p.Body, "<li>"))
	get("q=engineering").contains(t, "Alice Example")
	get("q=nothing").contains(t, "0 of 302 users")

	// Attacks are found by their titles and references.
	p = get("find=" + url.QueryEscape("wrapping saml raider"))
	assert.NotContains(t, p.Body, "C01")
	p.contains(t, "attacks with “wrapping saml raider”")
	get("find=CVE-2017-11427").contains(t, "comment in NameID")

	get("status=Responder&substatus=AuthnFailed&message=no").contains(t, "Send the error")
	b.get(idp.ComposeURL()).contains(t, "To which app?")
	b.get(idp.ComposeURL()+"?app=mark").refused(t, 400, mockidp.ReasonNotSAML)
	b.get(idp.ComposeURL()+"?app=none").refused(t, 404, mockidp.ReasonNoSuchApp)
	b.get(idp.URL+"/").contains(t, "To which app?")
}

// Sign-in with a password, a queued user and IsPassive work as without the mode.
func TestComposeLeavesOtherWays(t *testing.T) {
	idp := start(t, composing())
	b := newBrowser(t, idp)
	p := b.get(redirect(idp, request(), "s"))
	link := regexp.MustCompile(`href="([^"]+)">Sign in with a password instead`).FindStringSubmatch(p.Body)
	require.NotNil(t, link)
	form := b.get(idp.URL + html.UnescapeString(link[1]))
	form.contains(t, "Compose a response instead")
	b.signIn(form, alice, mockidp.DefaultPassword).answer(t)
	b.get(redirect(idp, request(), "s")).contains(t, "Send a response") // a session doesn't answer silently
	b.get(redirect(idp, request(attr("IsPassive", "true")), "s")).answer(t)
	require.NoError(t, idp.QueueUser(alice))
	b.get(redirect(idp, request(), "s")).answer(t)
	other := newBrowser(t, idp)
	root := decode(t, other.get(redirect(idp, request(attr("IsPassive", "true")), "s")).answer(t))
	assert.Equal(t, mockidp.StatusNoPassive, attrOf(t, root, "./Status/StatusCode/StatusCode", "Value"))
}

// editor opens the page with the XML, and returns its form.
func editor(t *testing.T, b *browser, idp *mockidp.Server, query string) url.Values {
	t.Helper()
	p := b.get(idp.ComposeURL() + "/xml?app=idc&" + query)
	text := regexp.MustCompile(`(?s)<textarea id="xml"[^>]*>(.*?)</textarea>`).FindStringSubmatch(p.Body)
	require.NotNil(t, text, p.Body)
	v := p.fields()
	v.Set("xml", strings.ReplaceAll(html.UnescapeString(text[1]), "\n", "\r\n")) // as a browser posts it
	return v
}

// The XML can be sent as it is, signed again after a change, or changed under its old signatures.
func TestComposeXML(t *testing.T) {
	for _, sign := range []mockidp.Signing{mockidp.SignBoth, mockidp.SignAssertion, mockidp.SignResponse} {
		for _, encrypt := range []bool{false, true} {
			t.Run(fmt.Sprintf("%d %v", sign, encrypt), func(t *testing.T) { testComposeXML(t, sign, encrypt) })
		}
	}
}

func testComposeXML(t *testing.T, sign mockidp.Signing, encrypt bool) {
	conf := composing()
	conf.Apps[0].Sign = sign
	if encrypt {
		conf.Apps[0].Encrypt, conf.Apps[0].EncryptionCertificate = &mockidp.Encryption{}, spCertificate(t)
	}
	idp := start(t, conf)
	sp := meridianSP(t, idp, func(c *saml.Config) { c.DecryptionKeys = []crypto.Decrypter{otherKey()} })
	b := newBrowser(t, idp)
	send := func(change func(string) string, how string) mockidp.Form {
		v := editor(t, b, idp, "relay_state=r&login="+url.QueryEscape(alice))
		v.Set("xml", change(v.Get("xml")))
		v.Set("sign", how)
		return b.post(idp.ComposeURL()+"/xml", v).answer(t)
	}
	same := func(s string) string { return s }
	forge := func(s string) string {
		require.Contains(t, s, ">"+alice+"</saml2:NameID>")
		return strings.Replace(s, ">"+alice+"</saml2:NameID>", ">mallory</saml2:NameID>", 1)
	}
	for _, how := range []string{"sign", "keep"} {
		f := send(same, how)
		assert.Equal(t, alice, accepted(t, sp, f).NameID().Value, how)
		assert.Equal(t, [2]string{virginia, "r"}, [2]string{f.URL, f.RelayState})
		m := idp.Messages()
		assert.False(t, m[len(m)-1].Edited)
		assert.Equal(t, encrypt, !strings.Contains(string(m[len(m)-1].XML), alice))
	}
	assert.Equal(t, "mallory", accepted(t, sp, send(forge, "sign")).NameID().Value)
	m := idp.Messages()
	assert.True(t, m[len(m)-1].Edited)
	assert.Equal(t, alice, m[len(m)-1].User)

	f := send(forge, "keep")
	_, err := sp.Verify([]byte(f.SAMLResponse), saml.VerifyOptions{ACS: f.URL, Unsolicited: true})
	var refused *saml.Error
	require.ErrorAs(t, err, &refused)
	assert.Equal(t, saml.ReasonSignature, refused.Reason)

	// A namespace that is declared further out is signed, too.
	f = send(func(s string) string {
		s = strings.Replace(s, `<saml2:Assertion xmlns:saml2="urn:oasis:names:tc:SAML:2.0:assertion"`, `<saml2:Assertion`, 1)
		return strings.Replace(s, "<saml2p:Response ", `<saml2p:Response xmlns:saml2="urn:oasis:names:tc:SAML:2.0:assertion" `, 1)
	}, "sign")
	assert.Equal(t, alice, accepted(t, sp, f).NameID().Value)
}

// Text that can't be sent is shown again, with what is wrong. Nothing is sent.
func TestComposeXMLKeepsTheText(t *testing.T) {
	conf := composing()
	idp := start(t, conf)
	b := newBrowser(t, idp)
	good := editor(t, b, idp, "login=x")
	for text, want := range map[string]string{
		"<a><b></a>":         "not well-formed XML",
		"":                   "one root element",
		"no XML":             "one root element",
		"<a/><b/>":           "one root element",
		"\xff<a/>":           "not UTF-8",
		"<a xmlns='urn:x'/>": "the root element is not a Response",
		`<Response xmlns="urn:oasis:names:tc:SAML:2.0:protocol"/>`: "has no ID",
		`<?xml version="1.0" encoding="UTF-16"?><a/>`:              "only UTF-8 is supported",
		strings.Repeat("<a>", 100) + strings.Repeat("</a>", 100):   "not well-formed XML",
		"<a>" + strings.Repeat("x", 256<<10) + "</a>":              "over 262144 bytes",
	} {
		v := url.Values{"app": {"idc"}, "login": {"x"}, "acs": {frank}, "original": good["original"],
			"sign": {"sign"}, "xml": {text}}
		p := b.post(idp.ComposeURL()+"/xml", v)
		assert.Contains(t, []int{400, 413}, p.Status, want)
		p.contains(t, want)
		p.contains(t, `aria-invalid="true"`)
		assert.Contains(t, strings.ToValidUTF8(html.UnescapeString(p.Body), "\uFFFD"), strings.ToValidUTF8(text, "\uFFFD"))
	}
	assert.Empty(t, idp.Messages())
	// Well-formed XML of any kind is sent as it is.
	v := url.Values{"app": {"idc"}, "sign": {"keep"}, "xml": {"<any/>"}}
	f := b.post(idp.ComposeURL()+"/xml", v).answer(t)
	assert.Equal(t, "<any/>", string(must(base64.StdEncoding.DecodeString(f.SAMLResponse))))
	v.Set("xml", strings.Repeat("x", 1<<20))
	b.post(idp.ComposeURL()+"/xml", v).refused(t, 413, mockidp.ReasonTooLarge)
	b.post(idp.ComposeURL()+"/xml", url.Values{"xml": {"<a/>"}}).refused(t, 400, mockidp.ReasonParameter)
	b.get(idp.ComposeURL()+"/xml?app=idc&login=x&attack=X").refused(t, 400, mockidp.ReasonParameter)
}

// The page of an app without a service provider says how to register one.
func TestComposeWithoutServiceProvider(t *testing.T) {
	for registers, want := range map[bool]string{
		false: "by its metadata, the control API", true: "begin a sign-in there",
	} {
		idp := start(t, mockidp.Config{Key: rsaKey(), Compose: true, SelfRegistration: registers})
		newBrowser(t, idp).get(idp.ComposeURL()+"?app="+idp.Apps()[0].ID).contains(t, want)
	}
}
