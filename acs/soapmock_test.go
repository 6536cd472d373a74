package acs_test

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/mockidp"
	"github.com/meridian-saml/meridian/saml"
)

// The mock, which shares no code with us, answers an attribute query about a signed-in user, and then ends the user's
// session by SOAP. All ACS URLs are of this machine, so that the calls to loopback addresses are allowed.
func TestCallsToTheMockBySOAP(t *testing.T) {
	var source *saml.SwappableIdP
	w := newLogoutWorld(t, mockidp.LogoutRedirect, func(c *saml.Config) {
		c.LogoutSOAP, source = true, c.IdP.(*saml.SwappableIdP)
	})
	app := w.idp.Apps()[0].ID
	require.NoError(t, w.idp.UpdateApp(app, func(a *mockidp.App) error { a.AttributeQueries = true; return nil }))
	idp, err := saml.ParseIdPMetadata(w.idp.Metadata(app))
	require.NoError(t, err)
	source.Replace(idp)
	b := w.browser()
	w.signIn(b, "us")
	all, err := w.sessions.List(t.Context(), "alice@example.com")
	require.NoError(t, err)
	require.Len(t, all, 1)
	proof := all[0].Proof
	var result *acs.LoggedOut
	region, err := acs.NewRegion(acs.Config{
		SP: w.sp, Region: "us", Store: acs.NewMemoryStore(acs.MemoryConfig{}), EndSessions: endNothing,
		OnLogin: func(http.ResponseWriter, *http.Request, *acs.Login) {}, Logger: slog.New(slog.NewTextHandler(w.log, nil)),
		OnLoggedOut: func(_ http.ResponseWriter, _ *http.Request, l *acs.LoggedOut) { result = l },
	})
	require.NoError(t, err)

	asked := saml.AttributeQueryOptions{NameID: saml.NameID(proof.Subject.NameID)}
	answer, err := region.QueryAttributes(t.Context(), asked)
	require.NoError(t, err)
	assert.Equal(t, "alice@example.com", answer.NameID().Value)
	assert.NotEmpty(t, answer.Attributes())
	unknown := saml.AttributeQueryOptions{NameID: saml.NameID{Value: "mallory@example.com"}}
	_, err = region.QueryAttributes(t.Context(), unknown)
	var e *saml.Error
	require.ErrorAs(t, err, &e)
	assert.Equal(t, saml.ReasonStatus, e.Reason)

	region.StartLogout(httptest.NewRecorder(), httptest.NewRequest(http.MethodPost, w.origin["us"]+"/logout", nil),
		acs.LogoutOptions{
			NameID: saml.NameID(proof.Subject.NameID), SessionIndexes: proof.SessionIndexes, Binding: saml.SOAP,
		})
	require.NotNil(t, result)
	require.NoError(t, result.Err)
	assert.True(t, result.Success, "%v", result.Status)
	p, err := b.Open(w.origin["us"] + "/login")
	require.NoError(t, err)
	_, asks := p.FormWith("password")
	assert.True(t, asks, "the session at the identity provider has ended")
}
