package browser_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/examples/internal/migrated"
	"github.com/meridian-saml/meridian/mockidp"
	"github.com/meridian-saml/meridian/mockidp/testkit"
)

// testProgramOfSAMLSP walks through example/trivial of crewjam/saml on package samlspcompat: a deep link, logout here
// and logout from the identity provider. Its mock is registered first, so that the program knows where to send logouts.
func testProgramOfSAMLSP(t *testing.T, chromium context.Context) {
	root, err := filepath.Abs("../../..")
	require.NoError(t, err)
	guide, err := migrated.Guide(root)
	require.NoError(t, err)
	source, err := migrated.Trivial(root)
	require.NoError(t, err)
	dir := t.TempDir()
	source, err = migrated.Migrate(dir, source, guide["sh"][0])
	require.NoError(t, err)

	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	_, port, err := net.SplitHostPort(l.Addr().String())
	require.NoError(t, err)
	require.NoError(t, l.Close())
	at := "http://localhost:" + port
	idp := mockidp.New(mockidp.Config{
		Users: []mockidp.User{{Login: "alice@example.com", Password: password,
			Attributes: map[string][]string{"displayName": {"Alice Adams"}}}},
		Apps: []mockidp.App{{
			Label: "trivial", Groups: []string{"Everyone"}, Audience: at + "/saml/metadata",
			ACS: []mockidp.ACS{{URL: at + "/saml/acs"}}, LogoutURL: at + "/saml/slo",
		}},
	})
	t.Cleanup(idp.Close)
	key := testkit.RSAKey("samlsp in Chromium")
	service, err := migrated.Start(root, dir, source, port, key, testkit.Certificate(key, time.Now()), idp.Metadata(""))
	require.NoError(t, err)
	t.Cleanup(service.Stop)
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		res, err := http.Get("http://127.0.0.1:" + port + "/saml/metadata")
		require.NoError(c, err)
		defer res.Body.Close()
		metadata, err := io.ReadAll(res.Body)
		require.NoError(c, err)
		require.NoError(c, idp.RegisterSP("", metadata))
	}, time.Minute, 50*time.Millisecond)

	b := newTab(t, chromium)
	signIn := func() {
		b.open(at + "/hello?deep=link")
		b.at(idp.URL + "/*")
		b.login("alice@example.com")
		b.at(at + "/hello?deep=link")
		b.reads("Hello, Alice Adams!")
	}
	signIn()
	b.open(at + "/logout")
	b.reads("Sign out?")
	b.audit("samlsp-signout")
	b.click(`form[action="/saml/logout"] button`)
	b.reads("You are signed out")

	signIn() // the identity provider's session has ended, too
	b.open(idp.DashboardURL())
	b.click(`form[action="/login/signout"] button`)
	b.reads("You are signed out here and of the apps below.")
	b.open(at + "/hello")
	b.at(idp.URL + "/*")
}
