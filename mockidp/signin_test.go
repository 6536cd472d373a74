package mockidp_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp"
)

// verify submits the page that asks for the code.
func (b *browser) verify(p page, code string) page {
	b.t.Helper()
	require.Contains(b.t, p.Body, `name="code"`, "not the page that asks for the code")
	v := p.fields()
	v.Set("code", code)
	return b.post(b.idp.URL+"/login/second-factor", v)
}

func withFactor() mockidp.Config {
	conf := twoRegions()
	conf.Users[0].SecondFactor = "246810"
	return conf
}

func TestSecondFactor(t *testing.T) {
	idp := start(t, withFactor())
	b := newBrowser(t, idp)
	form := b.signIn(b.get(redirect(idp, request(), "s")), alice, mockidp.DefaultPassword)
	assert.Empty(t, b.Jar["127.0.0.1"], "a session without the second factor")
	b.get(idp.DashboardURL()).contains(t, `name="password"`)
	wrong := b.verify(form, "000000")
	assert.Equal(t, http.StatusUnauthorized, wrong.Status)
	wrong.contains(t, `role="alert"`)
	b.verify(wrong, "").contains(t, `role="alert"`)
	answer := b.verify(wrong, "246810").answer(t)
	assert.Equal(t, "s", answer.RelayState)
	assert.Equal(t, mockidp.PasswordProtectedTransport, text(t, decode(t, answer), "//AuthnContextClassRef"),
		"Okta's default")
	v := wrong.fields()
	v.Set("code", "246810")
	b.post(idp.URL+"/login/second-factor", v).refused(t, 404, mockidp.ReasonRequestNotFound) // spent
	b.get(idp.DashboardURL()).contains(t, "My Apps")
}

func TestLockout(t *testing.T) {
	conf := withFactor()
	conf.MaxFailures = 3
	idp := start(t, conf)
	b := newBrowser(t, idp)
	page := b.get(idp.SignInURL())
	for range 2 {
		page = b.signIn(page, alice, "wrong")
		assert.Equal(t, http.StatusUnauthorized, page.Status)
	}
	// A correct password resets the count only with the correct code.
	b.verify(b.signIn(page, alice, mockidp.DefaultPassword), "246810").contains(t, "My Apps")
	other := newBrowser(t, idp)
	page = other.signIn(other.get(idp.SignInURL()), alice, "wrong")
	page = other.signIn(page, alice, mockidp.DefaultPassword)
	page = other.verify(page, "1")
	page = other.verify(page, "2")
	assert.Equal(t, http.StatusForbidden, page.Status)
	page.contains(t, "locked")
	u, _ := idp.User(alice)
	assert.Equal(t, mockidp.LockedOut, u.Status)
	other.signIn(page, alice, mockidp.DefaultPassword).contains(t, "locked")
	_, err := idp.IdPInitiated("idc", alice, "")
	assert.Equal(t, mockidp.ReasonInactive, reason(t, err))
	b.get(idp.DashboardURL()).contains(t, "My Apps") // sessions stay, as at Okta

	updateUser(t, idp, alice, func(u *mockidp.User) { u.Status = mockidp.Active })
	for range 2 {
		page = other.signIn(page, alice, "wrong")
		assert.Equal(t, http.StatusUnauthorized, page.Status, "the count was reset")
	}
	// Unknown logins are not counted.
	for range 5 {
		assert.Equal(t, http.StatusUnauthorized, other.signIn(page, "no-such-user", "x").Status)
	}
}

func TestInactiveUsers(t *testing.T) {
	for _, status := range []mockidp.UserStatus{mockidp.Suspended, mockidp.Deprovisioned} {
		idp := start(t, twoRegions())
		b := newBrowser(t, idp)
		b.signIn(b.get(idp.SignInURL()), alice, mockidp.DefaultPassword).contains(t, "My Apps")
		updateUser(t, idp, alice, func(u *mockidp.User) { u.Status = status })
		page := b.get(idp.DashboardURL())
		assert.Equal(t, http.StatusForbidden, b.signIn(page, alice, mockidp.DefaultPassword).Status)
	}
}

func TestCancel(t *testing.T) {
	idp := start(t, twoRegions())
	b := newBrowser(t, idp)
	form := b.get(redirect(idp, request(attr("AssertionConsumerServiceURL", frank)), "s"))
	answer := b.post(idp.URL+"/login/cancel", form.fields()).answer(t)
	assert.Equal(t, frank, answer.URL)
	assert.Equal(t, "s", answer.RelayState)
	hasStatus(t, answer, mockidp.StatusResponder, mockidp.StatusAuthnFailed)
	// No service provider waits for IdP-initiated sign-in.
	tile := b.get(idp.SSOURL("idc"))
	assert.NotContains(t, tile.Body, "/login/cancel")
	b.post(idp.URL+"/login/cancel", tile.fields()).refused(t, 400, mockidp.ReasonMalformed)
	b.post(idp.URL+"/login/cancel", nil).refused(t, 404, mockidp.ReasonRequestNotFound)
}

// hasStatus asserts that an answer is signed, has that status, and has no
// assertion.
func hasStatus(t *testing.T, f mockidp.Form, code, sub string) {
	t.Helper()
	root := decode(t, f)
	assert.Equal(t, code, attrOf(t, root, "./Status/StatusCode", "Value"))
	if sub != "" {
		assert.Equal(t, sub, attrOf(t, root, "./Status/StatusCode/StatusCode", "Value"))
	}
	assert.Nil(t, root.FindElement("//Assertion"))
	assert.NotNil(t, root.SelectElement("Signature"))
}

func TestRefusalsByStatus(t *testing.T) {
	conf := twoRegions()
	conf.Apps[0].Refusals = mockidp.RefuseByStatus
	conf.MaxFailures = 1
	idp := start(t, conf)
	b := newBrowser(t, idp)
	hasStatus(t, b.signIn(b.get(redirect(idp, request(), "")), bob, "bob's own").answer(t), mockidp.StatusResponder,
		mockidp.StatusRequestDenied)
	form, err := idp.Answer(redirect(idp, request(), ""), bob)
	require.NoError(t, err)
	hasStatus(t, form, mockidp.StatusResponder, mockidp.StatusRequestDenied)
	b.get(idp.SSOURL("idc")).refused(t, 403, mockidp.ReasonNotAssigned) // no request, no answer
	b.get(redirect(idp, strings.Replace(request(), entityID, "x", 1), "")).refused(t, 400, mockidp.ReasonIssuer)

	other := newBrowser(t, idp)
	hasStatus(t, other.signIn(other.get(redirect(idp, request(), "")), alice, "wrong").answer(t), mockidp.StatusResponder,
		mockidp.StatusAuthnFailed)
	form, err = idp.Answer(redirect(idp, request(), ""), alice)
	require.NoError(t, err)
	hasStatus(t, form, mockidp.StatusResponder, mockidp.StatusAuthnFailed)
}

func TestIgnoreForceAuthn(t *testing.T) {
	conf := twoRegions()
	conf.Apps[0].IgnoreForceAuthn = true
	idp := start(t, conf)
	b := newBrowser(t, idp)
	b.signIn(b.get(idp.SignInURL()), alice, mockidp.DefaultPassword)
	b.get(redirect(idp, request(attr("ForceAuthn", "true")), "")).answer(t)
}

func TestSignedOutPage(t *testing.T) {
	idp := start(t, twoRegions())
	b := newBrowser(t, idp)
	b.signIn(b.get(idp.SignInURL()), alice, mockidp.DefaultPassword)
	b.post(idp.URL+"/login/signout", nil).contains(t, "You are signed out")
}
