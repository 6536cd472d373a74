package peers_test

import (
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/saml"
)

// framesPeer is an identity provider that sends LogoutRequests in frames.
type framesPeer struct {
	start     func(spMetadata [][]byte) logoutPeer
	login     string // the name of the field
	begin     string // a button on the page that asks whether to sign out everywhere; empty: there is none
	end       string // a button to click on when the frames are done; empty: a script goes on
	signedOut string
}

// TestLogoutInFrames signs out of identity providers in Chromium. They send their LogoutRequests in frames, in which
// our answers lead back to them.
func TestLogoutInFrames(t *testing.T) {
	b := startChromium(t)
	t.Run("SimpleSAMLphp", func(t *testing.T) {
		php := requireSimpleSAMLphp(t)
		checkFrames(t, b.of(t), framesPeer{
			start: func(spMetadata [][]byte) logoutPeer {
				return startSimpleSAMLphpLogout(t, php, spMetadata, "PEER_LOGOUT=iframe")
			},
			login: "username", begin: "#logout-all", signedOut: "You have been logged out",
		})
	})
	t.Run("LemonLDAP::NG", func(t *testing.T) {
		requireLemonLDAP(t)
		checkFrames(t, b.of(t), framesPeer{
			start: func(spMetadata [][]byte) logoutPeer {
				return startLemonLDAPLogout(t, lemonLDAPConfig{spMetadata: spMetadata})
			},
			login: "user", end: "#form button[type=submit]", signedOut: "Go to portal",
		})
	})
}

// checkFrames signs in to two service providers, of which one gets its LogoutRequest by HTTP-POST, and out of the
// identity provider.
func checkFrames(t *testing.T, b *chromium, f framesPeer) {
	redirected, posted := deployLogout(t), deployLogout(t)
	p := f.start([][]byte{redirected.metadata(t), withoutLogout(t, posted.metadata(t), saml.HTTPRedirect)})
	redirected.trust(t, p.metadata)
	posted.trust(t, p.metadata)
	password := chromedp.CSS("input[name=password]")
	b.open(redirected.url[homeRegion] + "/login")
	b.do(chromedp.SendKeys(chromedp.CSS("input[name="+f.login+"]"), p.login),
		chromedp.SendKeys(password, p.password), chromedp.Submit(password))
	b.reads(p.user + " is signed in in " + homeRegion)
	b.open(posted.url[awayRegion] + "/login")
	b.reads(p.user + " is signed in in " + awayRegion)
	b.open(redirected.url[homeRegion] + "/whoami")
	b.reads("user=" + p.user)

	b.open(p.signOut)
	if f.begin != "" {
		b.click(f.begin)
	}
	require.Eventually(t, func() bool {
		return len(redirected.logoutMessages()) == 1 && len(posted.logoutMessages()) == 1
	}, chromiumPatience, 10*time.Millisecond)
	if f.end != "" {
		b.click(f.end)
	}
	b.reads(f.signedOut)
	b.open(redirected.url[homeRegion] + "/whoami")
	b.reads("signed out")
	b.open(posted.url[awayRegion] + "/whoami")
	b.reads("signed out")
	b.open(redirected.url[homeRegion] + "/login")
	b.do(chromedp.WaitVisible(password))
}
