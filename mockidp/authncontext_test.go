package mockidp_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp"
)

const acClasses = "urn:oasis:names:tc:SAML:2.0:ac:classes:"

// wanting returns a request with a RequestedAuthnContext.
func wanting(comparison string, classes ...string) string {
	x := "<samlp:RequestedAuthnContext"
	if comparison != "" {
		x += " " + attr("Comparison", comparison)
	}
	x += ">"
	for _, c := range classes {
		x += "<saml:AuthnContextClassRef>" + c + "</saml:AuthnContextClassRef>"
	}
	return strings.Replace(request(), "</samlp:AuthnRequest>", x+"</samlp:RequestedAuthnContext></samlp:AuthnRequest>", 1)
}

func TestRequestedAuthnContext(t *testing.T) {
	const ppt, token, mfa = mockidp.PasswordProtectedTransport, mockidp.TimeSyncToken, mockidp.MultiFactor
	conf := withFactor()
	conf.Apps[0].Groups = []string{mockidp.Everyone}
	idp := start(t, conf)
	for name, c := range map[string]struct {
		xml      string
		password string // what bob gets, who has no second factor; "" = NoAuthnContext
		factor   string // what alice gets, who has one
	}{
		"password":           {wanting("", ppt), ppt, ppt},
		"exact":              {wanting("exact", acClasses+"Password"), acClasses + "Password", acClasses + "Password"},
		"first of two":       {wanting("exact", token, ppt), ppt, token},
		"best of two":        {wanting("exact", ppt, token), ppt, token},
		"REFEDS":             {wanting("", mfa), "", mfa},
		"unknown":            {wanting("exact", acClasses+"X509"), "", ""},
		"unknown and known":  {wanting("exact", acClasses+"X509", ppt), ppt, ppt},
		"minimum":            {wanting("minimum", acClasses+"Password"), ppt, token},
		"minimum of a token": {wanting("minimum", token), "", token},
		"minimum of unknown": {wanting("minimum", acClasses+"X509"), "", ""},
		"better":             {wanting("better", ppt), "", token},
		"better than token":  {wanting("better", token), "", ""},
		"better of two":      {wanting("better", acClasses+"Password", ppt), "", token},
		"maximum":            {wanting("maximum", ppt), ppt, ppt},
		"maximum of a token": {wanting("maximum", token), ppt, token},
		"maximum of nothing": {
			wanting("maximum", acClasses+"unspecified"), acClasses + "unspecified", acClasses + "unspecified"},
		"declaration": {strings.NewReplacer("ClassRef", "DeclRef").Replace(wanting("", ppt)), "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			for login, want := range map[string]string{bob: c.password, alice: c.factor} {
				form, err := idp.Answer(redirect(idp, c.xml, ""), login)
				require.NoError(t, err)
				if want == "" {
					hasStatus(t, form, mockidp.StatusResponder, mockidp.StatusNoAuthnContext)
					continue
				}
				assert.Equal(t, want, text(t, decode(t, form), "//AuthnContextClassRef"), login)
			}
		})
	}
}

func TestMalformedRequestedAuthnContexts(t *testing.T) {
	idp := start(t, twoRegions())
	ppt := mockidp.PasswordProtectedTransport
	one := wanting("", ppt)
	for name, xml := range map[string]string{
		"empty":      wanting(""),
		"comparison": wanting("sometimes", ppt),
		"many":       wanting("", strings.Split(strings.Repeat(ppt+" ", 21), " ")[:21]...),
		"comment":    strings.Replace(one, "<saml:AuthnContextClassRef>", "<saml:AuthnContextClassRef><!--x-->", 1),
		"element":    strings.Replace(one, "<saml:AuthnContextClassRef>", "<saml:AuthnContextClassRef><x/>", 1),
		"two": strings.Replace(one, "</samlp:AuthnRequest>", "<samlp:RequestedAuthnContext><saml:AuthnContextClassRef>"+ppt+
			"</saml:AuthnContextClassRef></samlp:RequestedAuthnContext></samlp:AuthnRequest>", 1),
	} {
		t.Run(name, func(t *testing.T) {
			_, err := idp.Answer(redirect(idp, xml, ""), alice)
			assert.Equal(t, mockidp.ReasonMalformed, reason(t, err))
		})
	}
	// A class in another place is ignored.
	form, err := idp.Answer(redirect(idp,
		strings.Replace(request(), "</samlp:AuthnRequest>", "<samlp:Extensions><saml:AuthnContextClassRef>"+
			mockidp.MultiFactor+"</saml:AuthnContextClassRef></samlp:Extensions></samlp:AuthnRequest>", 1), ""), alice)
	require.NoError(t, err)
	assert.Equal(t, ppt, text(t, decode(t, form), "//AuthnContextClassRef"))
}

func TestStepUpInABrowser(t *testing.T) {
	conf := withFactor()
	conf.Apps[0].Groups = []string{mockidp.Everyone}
	idp := start(t, conf)
	want := redirect(idp, wanting("", mockidp.MultiFactor), "s")

	// A user without a second factor can't step up.
	b := newBrowser(t, idp)
	hasStatus(t, b.signIn(b.get(want), bob, "bob's own").answer(t), mockidp.StatusResponder, mockidp.StatusNoAuthnContext)
	// No password is asked for if no user can satisfy the request.
	hasStatus(t, newBrowser(t, idp).get(redirect(idp, wanting("", acClasses+"X509"), "")).answer(t),
		mockidp.StatusResponder, mockidp.StatusNoAuthnContext)

	// With a session from before alice had a second factor, only the code is asked for.
	updateUser(t, idp, alice, func(u *mockidp.User) { u.SecondFactor = "" })
	b = newBrowser(t, idp)
	b.signIn(b.get(idp.SignInURL()), alice, mockidp.DefaultPassword).contains(t, "My Apps")
	updateUser(t, idp, alice, func(u *mockidp.User) { u.SecondFactor = "1357" })
	b.get(redirect(idp, request(), "")).answer(t)
	page := b.get(want)
	page.contains(t, "asks for a second factor")
	answer := b.verify(page, "1357").answer(t)
	assert.Equal(t, mockidp.MultiFactor, text(t, decode(t, answer), "//AuthnContextClassRef"))
	b.get(want).answer(t) // not asked again
	passive := strings.Replace(wanting("", mockidp.MultiFactor), `Version="2.0"`, `Version="2.0" IsPassive="true"`, 1)
	assert.NotNil(t, decode(t, b.get(redirect(idp, passive, "")).answer(t)).SelectElement("Assertion"))
}

func TestAuthnContextOfAnApp(t *testing.T) {
	conf := twoRegions()
	conf.Apps[0].AuthnContext = acClasses + "unspecified"
	idp := start(t, conf)
	form, err := idp.IdPInitiated("idc", alice, "")
	require.NoError(t, err)
	assert.Equal(t, acClasses+"unspecified", text(t, decode(t, form), "//AuthnContextClassRef"))
}
