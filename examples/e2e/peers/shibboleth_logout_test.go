package peers_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp/testkit"
	"github.com/meridian-saml/meridian/saml"
)

// TestLogoutBesideShibboleth signs in to our service provider and to Shibboleth's by one sign-in at SimpleSAMLphp. To
// sign out of one ends the sessions at all three.
func TestLogoutBesideShibboleth(t *testing.T) {
	d := deployLogout(t)
	p := startSimpleSAMLphpLogout(t, requireSimpleSAMLphp(t), [][]byte{d.metadata(t)})
	d.trust(t, p.metadata)
	h := startHost(t, "shibboleth", p.metadata)
	metadata := newPeerBrowser(t).open(h.Metadata)
	require.Equal(t, http.StatusOK, metadata.status)
	p.register([]byte(metadata.body))

	for _, region := range []string{homeRegion, awayRegion} {
		signIn := func(t *testing.T) *testkit.Browser {
			b := p.session(t, d, region)
			require.Empty(t, h.userIn(t, b))
			_, err := b.SignIn(h.Login, "", "")
			require.NoError(t, err)
			require.Equal(t, p.user, h.userIn(t, b))
			return b
		}
		t.Run("from "+region, func(t *testing.T) {
			b := signIn(t)
			page := carry(t, b, clickSignOut(t, b, d, region, saml.HTTPRedirect))
			assert.Equal(t, "signed out here, and at "+d.idp.IdP().EntityID()+": true", page.Text(), page.URL)
			assert.Empty(t, d.user(t, b, region))
			assert.Empty(t, h.userIn(t, b))
			p.signIn(t, b, d, region, true)
		})
		t.Run("from Shibboleth, signed in to "+region, func(t *testing.T) {
			b := signIn(t)
			page, err := b.Open(strings.TrimSuffix(h.Probe, "/whoami") + "/Shibboleth.sso/Logout")
			require.NoError(t, err)
			page = carry(t, b, page)
			assert.Contains(t, page.Text(), "Logout completed successfully", page.URL)
			assert.Empty(t, h.userIn(t, b))
			assert.Empty(t, d.user(t, b, region))
			p.signIn(t, b, d, region, true)
		})
	}
}

// userIn returns the user who is signed in to the host in a browser, or "".
func (h *spHost) userIn(t *testing.T, b *testkit.Browser) string {
	t.Helper()
	p, err := b.Open(h.Probe)
	require.NoError(t, err)
	m := regexp.MustCompile(h.Identity).FindStringSubmatch(p.Body)
	if m == nil {
		require.Equal(t, "signed out", p.Text())
		return ""
	}
	return m[1]
}
