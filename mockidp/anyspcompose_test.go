package mockidp_test

import (
	"net/url"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp"
)

func composingForAny(t *testing.T) (*mockidp.Server, *browser) {
	idp := start(t, mockidp.Config{Key: rsaKey(), AnyServiceProvider: true, Compose: true})
	return idp, newBrowser(t, idp)
}

// Without a request, the page asks for the ACS URL and the audience, which need no registration.
func TestComposeForAnyServiceProvider(t *testing.T) {
	idp, b := composingForAny(t)
	p := b.get(idp.SSOURL("") + "?RelayState=state")
	assert.Equal(t, "/login/compose", p.URL.Path)
	p.contains(t, `name="acs" type="text" inputmode="url" value=""`)
	p.contains(t, `name="audience" type="text" value=""`)
	p.contains(t, `name="relay_state" type="text" value="state"`)
	v := p.fields()
	v.Set("login", alice)
	v.Set("filled_for", alice)
	v.Set("nameid", "typed")
	v.Set("relay_state", "deep")
	send := func(acs, audience string) page {
		v.Set("acs", acs)
		v.Set("audience", audience)
		return b.post(idp.ComposeURL(), v)
	}
	for _, sp := range []string{"https://a.example", "https://b.example"} {
		f := send(" "+sp+"/acs ", sp).answer(t)
		assert.Equal(t, [2]string{sp + "/acs", "deep"}, [2]string{f.URL, f.RelayState})
		doc := decode(t, f)
		assert.Equal(t, [2]string{sp, "typed"}, [2]string{text(t, doc, "//Audience"), text(t, doc, "//NameID")})
		assert.Equal(t, sp+"/acs", attrOf(t, doc, "//SubjectConfirmationData", "Recipient"))
	}

	// What can't be sent is shown again, with everything that was typed.
	for _, bad := range [][2]string{{"", "urn:a"}, {"javascript:alert(1)", "urn:a"}, {frank, ""}, {frank, "a\x01"}} {
		p := send(bad[0], bad[1])
		assert.Equal(t, 400, p.Status, "%q", bad)
		p.contains(t, "Nothing was sent")
		p.contains(t, `value="typed"`)
		assert.NotContains(t, p.Body, `name="SAMLResponse"`)
	}
	send("javascript:alert(1)", "urn:a").contains(t, `value="javascript:alert(1)"`)

	// Links and the search keep both, and the editor sends to both.
	q := url.Values{"app": {idp.Apps()[0].ID}, "acs": {frank}, "audience": {"urn:a"}, "login": {alice}}
	p = b.get(idp.ComposeURL() + "?" + q.Encode())
	p.contains(t, "audience=urn%3Aa")
	assert.Equal(t, "urn:a", p.fields().Get("audience"))
	p = b.get(idp.URL + "/login/compose/xml?" + q.Encode())
	v = p.fields()
	field, ok := p.FormWith("xml")
	require.True(t, ok)
	v.Set("xml", field.Values().Get("xml"))
	f := b.post(idp.URL+"/login/compose/xml", v).answer(t)
	assert.Equal(t, frank, f.URL)
	assert.Equal(t, "urn:a", text(t, decode(t, f), "//Audience"))
	v.Set("acs", "data:,x")
	b.post(idp.URL+"/login/compose/xml", v).refused(t, 400, mockidp.ReasonUnlistedURL)
}

// With a request the URL is the request's, and another one may be typed. The audience is the Issuer.
func TestComposeRequestOfAnyServiceProvider(t *testing.T) {
	idp, b := composingForAny(t)
	at := asking(idp, request(attr("AssertionConsumerServiceURL", frank)), "state")
	p := b.get(at)
	p.contains(t, `name="acs" type="text" inputmode="url" value="`+frank+`"`)
	p.contains(t, "Audience: <code>"+entityID+"</code>")
	assert.NotContains(t, p.Body, `id="audience"`)
	v := p.fields()
	v.Set("login", v.Get("filled_for"))
	v.Set("audience", "urn:other")
	for _, acs := range []string{"", "https://other.example/acs"} {
		v.Set("acs", acs)
		f := b.post(idp.ComposeURL(), v).answer(t)
		if acs == "" {
			acs = frank
		}
		assert.Equal(t, [2]string{acs, "state"}, [2]string{f.URL, f.RelayState})
		assert.Equal(t, entityID, text(t, decode(t, f), "//Audience"))
	}

	// The parameters do the same.
	f := b.get(at + "&login=" + alice + "&acs=https://other.example/acs&audience=" + url.QueryEscape(entityID)).answer(t)
	assert.Equal(t, "https://other.example/acs", f.URL)
	b.get(at+"&login="+alice+"&acs=ftp://x").refused(t, 400, mockidp.ReasonUnlistedURL)
	b.get(at+"&login="+alice+"&audience=urn:other").refused(t, 400, mockidp.ReasonParameter)
	f = b.get(idp.AnyServiceProviderURL("urn:a", frank, "") + "&login=" + alice + "&relay_state=deep").answer(t)
	assert.Equal(t, [2]string{frank, "deep"}, [2]string{f.URL, f.RelayState})
	assert.Equal(t, "urn:a", text(t, decode(t, f), "//Audience"))

	// An app with a service provider of its own keeps its list.
	_, err := idp.AddSP([]byte(spEntity("https://a.example", "", "")))
	require.NoError(t, err)
	own := idp.Apps()[1]
	p = b.get(idp.ComposeURL() + "?app=" + own.ID)
	p.contains(t, `<select id="acs"`)
	p.contains(t, own.ACS[0].URL)
	b.get(idp.ComposeURL()+"?app="+own.ID+"&acs="+frank).refused(t, 400, mockidp.ReasonParameter)
}
