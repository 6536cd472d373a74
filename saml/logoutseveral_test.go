package saml_test

import (
	"crypto"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/saml"
)

// logoutAt makes the identity provider one of several, with these addresses for logout and its sign-in at sso.
func logoutAt(t testing.TB, sso string, services ...saml.LogoutService) func(*saml.Config) {
	t.Helper()
	idp, err := saml.NewIdP(saml.IdPConfig{
		EntityID: idpEntity, Keys: []crypto.PublicKey{keys().idp.Public()}, Logout: services,
		SSO: []saml.SSOService{{Binding: saml.HTTPPost, URL: sso}},
	})
	require.NoError(t, err)
	return several(lookup(func(string) (*saml.IdP, error) { return idp, nil }))
}

// One of several identity providers must not have the browser sent to a page at the origin of a logout URL of ours
// either: a form there is of the same origin, as only our own are.
func TestLogoutLeavesOurOrigins(t *testing.T) {
	const shared, abroad = "https://signin.example/logout", "https://logout.eu.example/logout"
	ours := func(c *saml.Config) { c.LogoutURL, c.Logout[1].URL = shared, abroad }
	for _, at := range []string{
		usACS, usLogout, shared, "https://SIGNIN.example:443/sign-out", abroad + "/else", "https://signin.exampl\u0115/",
	} {
		for name, service := range map[string]saml.LogoutService{
			"Location":         {Binding: saml.HTTPPost, URL: at},
			"ResponseLocation": {Binding: saml.HTTPPost, URL: idpSLO, ResponseURL: at},
		} {
			sp := newSP(t, withLogout(t), ours, logoutAt(t, idpSLO, service))
			_, err := sp.NewLogoutRequest(saml.LogoutOptions{IdP: idpEntity, NameID: saml.NameID{Value: "alice"}})
			requireReason(t, saml.ReasonMetadata, err)
			asked, err := sp.VerifyLogoutRequest(post(request(t, keys().idp, set(".", "Destination", shared))))
			require.NoError(t, err, name)
			_, err = sp.NewLogoutResponse(asked, saml.LogoutSuccess)
			requireReason(t, saml.ReasonMetadata, err)
		}
		_, err := newSP(t, withLogout(t), ours, logoutAt(t, at)).NewAuthnRequest(saml.RequestOptions{IdP: idpEntity})
		requireReason(t, saml.ReasonMetadata, err)
	}
	sp := newSP(t, withLogout(t), ours, logoutAt(t, idpSLO, saml.LogoutService{Binding: saml.HTTPPost, URL: idpSLO}))
	_, err := sp.NewLogoutRequest(saml.LogoutOptions{IdP: idpEntity, NameID: saml.NameID{Value: "alice"}})
	require.NoError(t, err)
}

// K06: the ancestors of a page are few, and none has a meaning of its own in the header.
func TestLogoutOrigins(t *testing.T) {
	services := []saml.LogoutService{
		{Binding: saml.HTTPPost, URL: idpSLO, ResponseURL: "https://idp.example:8443/answer"},
		{Binding: saml.HTTPPost, URL: "https://*.example/slo"},
		{Binding: saml.HTTPPost, URL: "https://a.example;script-src/slo"},
		{Binding: saml.HTTPPost, URL: "https://a.example,b/slo"},
		{Binding: saml.HTTPPost, URL: "https://\u00fcber.example/slo"},
	}
	for i := range 2000 {
		services = append(services, saml.LogoutService{Binding: saml.HTTPPost, URL: fmt.Sprintf("https://i%d.example/slo", i)})
	}
	sp := newSP(t, withLogout(t), logoutAt(t, "https://sso.example/sso", services...))
	asked, err := sp.VerifyLogoutRequest(post(request(t, keys().idp)))
	require.NoError(t, err)
	got := asked.Origins()
	assert.Equal(t, []string{"https://idp.example", "https://idp.example:8443"}, got[:2])
	assert.Contains(t, got, "https://sso.example")
	assert.Less(t, len(strings.Join(got, " ")), 1024)
	assert.NotContains(t, strings.Join(got, " "), "*")
	assert.NotContains(t, strings.Join(got, " "), ";")
}
