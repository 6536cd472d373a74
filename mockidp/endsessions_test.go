package mockidp_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp"
)

// A user whose sessions were ended must sign in again; other users need not.
func TestEndSessions(t *testing.T) {
	idp := start(t, twoRegions())
	require.NoError(t, idp.AddUser(mockidp.User{Login: "zoe@example.com"}))
	b, other := newBrowser(t, idp), newBrowser(t, idp)
	b.signIn(b.get(idp.SignInURL()), alice, mockidp.DefaultPassword).contains(t, "My Apps")
	other.signIn(other.get(idp.SignInURL()), "zoe@example.com", mockidp.DefaultPassword).contains(t, "My Apps")
	require.NoError(t, idp.EndSessions(" Alice@Example.com"))
	b.get(idp.DashboardURL()).contains(t, `name="password"`)
	other.get(idp.DashboardURL()).contains(t, "My Apps")
	b.signIn(b.get(idp.SignInURL()), alice, mockidp.DefaultPassword).contains(t, "My Apps")
	assert.Equal(t, mockidp.ReasonNoSuchUser, reason(t, idp.EndSessions("nobody@example.com")))
}
