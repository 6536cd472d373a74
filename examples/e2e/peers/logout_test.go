package peers_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp"
	"github.com/meridian-saml/meridian/mockidp/testkit"
)

// TestLogoutSimpleSAMLphp signs out of SimpleSAMLphp as a service provider, and
// out of the mock, each of which signs the other out. It makes and checks
// logout messages with its own library.
func TestLogoutSimpleSAMLphp(t *testing.T) {
	// Metadata has a SingleLogoutService only where the app has one.
	idp := mockidp.New(mockidp.Config{Apps: []mockidp.App{{Label: "SimpleSAMLphp", Groups: []string{mockidp.Everyone},
		IgnoreNameIDPolicy: true, LogoutURL: "https://sp.example/"}}}) // it asks for a transient NameID
	t.Cleanup(idp.Close)
	host := startHost(t, "simplesamlphp", idp.Metadata(""))
	b := newPeerBrowser(t)
	metadata := b.open(host.Metadata)
	require.Equal(t, 200, metadata.status, metadata.body)
	require.NoError(t, idp.RegisterSP("", []byte(metadata.body)))
	require.Contains(t, idp.Apps()[0].LogoutURL, "saml2-logout.php")

	signIn := func() *testkit.Browser {
		t.Helper()
		p, err := testkit.SignIn(idp, host.Login, mockidp.DefaultLogin)
		require.NoError(t, err)
		require.Contains(t, p.Body, "user="+mockidp.DefaultLogin)
		return p.Browser
	}
	open := func(b *testkit.Browser, address string) string {
		t.Helper()
		p, err := b.Open(address)
		require.NoError(t, err)
		return p.Body
	}

	bySP := signIn()
	assert.Equal(t, "signed out\n", open(bySP, strings.TrimSuffix(host.Login, "/login")+"/logout"))
	assert.Contains(t, open(bySP, idp.DashboardURL()), `name="password"`)

	byIdP := signIn()
	p, err := byIdP.Post(idp.URL, idp.URL+"/login/signout", url.Values{})
	require.NoError(t, err)
	form, ok := p.FormWith("go")
	require.True(t, ok, p.Body)
	p, err = byIdP.Submit(p, form, nil)
	require.NoError(t, err)
	assert.Contains(t, p.Body, "SimpleSAMLphp</dt><dd>Signed out.")
	assert.Equal(t, "signed out\n", open(byIdP, host.Probe))
	for _, m := range idp.Messages() {
		assert.Nil(t, m.Refused)
	}
}
