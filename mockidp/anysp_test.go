package mockidp_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp"
)

// asking returns the address of a request to the first app.
func asking(idp *mockidp.Server, req, relayState string) string {
	return idp.SSOURL("") + "?" + url.Values{"SAMLRequest": {deflated(req)}, "RelayState": {relayState}}.Encode()
}

// Two service providers that are not registered sign in at one address, by Answer and with a browser.
func TestAnyServiceProvider(t *testing.T) {
	idp := start(t, mockidp.Config{Key: rsaKey(), AnyServiceProvider: true})
	for _, sp := range []string{"https://a.example", "https://b.example"} {
		req := strings.Replace(request(attr("AssertionConsumerServiceURL", sp+"/acs")), entityID, sp, 1)
		form, err := idp.Answer(asking(idp, req, "state"), alice)
		require.NoError(t, err)
		assert.Equal(t, sp+"/acs", form.URL)
		assert.Equal(t, "state", form.RelayState)
		assert.Equal(t, sp, text(t, decode(t, form), "//Audience"))
		b := newBrowser(t, idp)
		page := b.signIn(b.get(asking(idp, req, "")), alice, mockidp.DefaultPassword)
		page.contains(t, sp+"/acs")
		page.contains(t, "Accepts any service provider")
	}
	assert.Empty(t, idp.Apps()[0].Audience, "nothing was registered")

	b := newBrowser(t, idp)
	page := b.signIn(b.get(idp.AnyServiceProviderURL("urn:c", "https://c.example/acs?x=1", "relay")), alice,
		mockidp.DefaultPassword)
	page.contains(t, "https://c.example/acs?x=1")
	page.contains(t, `value="relay"`)

	asks := func(change func(string) string) error {
		_, err := idp.Answer(asking(idp, change(request(attr("AssertionConsumerServiceURL", frank))), ""), alice)
		return err
	}
	require.NoError(t, asks(func(s string) string { return s }))
	assert.Equal(t, mockidp.ReasonNoACS, reason(t, asks(func(string) string { return request() })))
	assert.Equal(t, mockidp.ReasonUnlistedURL,
		reason(t, asks(func(s string) string { return strings.Replace(s, frank, "javascript:alert(1)", 1) })))
	assert.Equal(t, mockidp.ReasonIssuer,
		reason(t, asks(func(s string) string { return strings.Replace(s, entityID, "", 1) })))
	_, err := idp.IdPInitiated("", alice, "")
	assert.Equal(t, mockidp.ReasonNoACS, reason(t, err))

	// A registered service provider has an app of its own, and the open app stays open.
	made, err := idp.AddSP([]byte(spEntity("https://a.example", "", "")))
	require.NoError(t, err)
	require.Len(t, idp.Apps(), 2)
	require.NotEqual(t, idp.Apps()[0].ID, made[0].ID)
	require.NotEmpty(t, idp.AnyServiceProviderURL("a", "b", ""))
}

func TestAnyServiceProviderIsOffByDefault(t *testing.T) {
	idp := start(t, mockidp.Config{Key: rsaKey()})
	_, err := idp.Answer(asking(idp, request(attr("AssertionConsumerServiceURL", frank)), ""), alice)
	assert.Equal(t, mockidp.ReasonIssuer, reason(t, err))
	assert.Empty(t, idp.AnyServiceProviderURL("a", "https://a.example/acs", ""))
	b := newBrowser(t, idp)
	page := b.get(idp.SSOURL("") + "?" + url.Values{"acs": {frank}, "audience": {entityID}}.Encode())
	b.signIn(page, alice, mockidp.DefaultPassword).refused(t, 400, mockidp.ReasonNoACS)
	with := twoRegions()
	with.AnyServiceProvider = true
	require.Len(t, start(t, with).Apps(), 3, "there is always an open app")
}
