package peers_test

import (
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/saml"
)

// TestLemonLDAPLogout signs out on both sides with LemonLDAP::NG as the identity provider. It checks our messages by
// our metadata, and signs its own.
func TestLemonLDAPLogout(t *testing.T) {
	requireLemonLDAP(t)
	signed, posted, called := deployLogout(t), deployLogout(t), deploySOAPLogout(t)
	encrypted, nameID := deployLogout(t, decrypting), deployLogout(t, decrypting)
	p := startLemonLDAPLogout(t, lemonLDAPConfig{
		spMetadata: [][]byte{
			signed.metadata(t), withoutLogout(t, posted.metadata(t), saml.HTTPRedirect),
			encrypted.metadata(t), nameID.metadata(t), withoutLogout(t, called.metadata(t), saml.HTTPRedirect, saml.HTTPPost),
		},
		encryption: map[int]string{2: "assertion", 3: "nameid"},
	})
	for _, d := range []*deployment{signed, posted, encrypted, nameID, called} {
		d.trust(t, p.metadata)
	}
	t.Run("signed", func(t *testing.T) { checkLogouts(t, p, signed, homeRegion, awayRegion) })
	t.Run("both Regions", func(t *testing.T) { checkBothRegions(t, p, signed, true) })
	t.Run("posted to us", func(t *testing.T) { checkPostedLogouts(t, p, posted) })
	t.Run("encrypted assertion", func(t *testing.T) { checkLogouts(t, p, encrypted, awayRegion) })
	t.Run("encrypted NameID", func(t *testing.T) { checkLemonLDAPNamesAnother(t, p, nameID) })
	t.Run("by SOAP from us", func(t *testing.T) {
		require.True(t, offersLogout(t, p.metadata, saml.SOAP))
		checkSignOutHere(t, p, signed, homeRegion, saml.SOAP)
		checkSignOutHere(t, p, signed, awayRegion, saml.SOAP)
	})
	t.Run("by SOAP to us", func(t *testing.T) {
		checkSignOutThere(t, p, called, homeRegion)
		checkSignOutThere(t, p, called, awayRegion)
		require.Contains(t, called.logoutMessages()[0], "Envelope")
	})
}

// checkLemonLDAPNamesAnother signs out on both sides where the assertions have an encrypted NameID. The LogoutRequest
// of LemonLDAP::NG then has another, new NameID. So our session goes on.
func checkLemonLDAPNamesAnother(t *testing.T, p logoutPeer, d *deployment) {
	checkSignOutHere(t, p, d, awayRegion, saml.HTTPRedirect)
	b := p.session(t, d, homeRegion)
	p.signOutThere(t, b)
	require.Equal(t, p.user, d.user(t, b, homeRegion))
	d.mu.Lock()
	defer d.mu.Unlock()
	require.Len(t, d.ended, 1)
	require.NotEqual(t, p.user, d.ended[0])
}

// deploySOAPLogout starts a deployment with a logout URL that Perl can call: it doesn't resolve *.localhost, nor trust
// our certificate.
func deploySOAPLogout(t *testing.T) *deployment {
	t.Helper()
	server := httptest.NewServer(nil)
	t.Cleanup(server.Close)
	d := deployLogout(t, func(sp *saml.Config) { sp.LogoutSOAP, sp.LogoutURL = true, server.URL+"/logout" })
	server.Config.Handler = d.handler[homeRegion]
	return d
}

// startLemonLDAPLogout starts one with a sign-in page.
func startLemonLDAPLogout(t *testing.T, c lemonLDAPConfig) logoutPeer {
	t.Helper()
	front := newTLSFront(t)
	c.asks, c.base = true, front.base
	front.start(t, c.start(t), lemonLDAP+"/htdocs/static")
	return logoutPeer{
		metadata: lemonLDAPMetadata(t, front.base),
		login:    "dwho", password: "dwho", user: peerUser,
		signOut: front.base + "/?logout=1", signedOut: `trmsg="47"`, // PE_LOGOUT_OK, which a script translates
		frame: "/icons/ok.png",
	}
}
