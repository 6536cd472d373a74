package portal_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp"
	"github.com/meridian-saml/meridian/mockidp/testkit"
	"github.com/meridian-saml/meridian/portal"
	"github.com/meridian-saml/meridian/portal/center"
	"github.com/meridian-saml/meridian/saml"
)

const atIdP = "/sign-out/idp"

// logoutMessages counts the logout messages that the identity provider received.
func (w *world) logoutMessages() (n int) {
	for _, m := range w.idp.Messages() {
		if m.Direction == mockidp.Received && strings.Contains(string(m.XML), "Logout") {
			n++
		}
	}
	return n
}

// asksForPassword reports whether a sign-in that begins now asks the user.
func asksForPassword(b *browser, host string) bool {
	p := b.get("https://" + host + "/login")
	_, asks := p.page.FormWith("password")
	return asks
}

// The session here ends first, in every Region. The identity provider's part is the user's choice after that, and its
// answer comes back to the Region that asked, through the first Region's URL.
func TestSignOutAtTheIdentityProvider(t *testing.T) {
	for name, binding := range map[string]mockidp.LogoutBinding{
		"Redirect": mockidp.LogoutRedirect, "POST": mockidp.LogoutPOST,
	} {
		for _, host := range regionHosts {
			t.Run(name+" "+host, func(t *testing.T) {
				w, _ := newLogoutWorld(t, nil)
				app := w.idp.Apps()[0].ID
				require.NoError(t, w.idp.UpdateApp(app, func(a *mockidp.App) error { a.LogoutBinding = binding; return nil }))
				b := w.browser()
				requirePage(t, w.enter(b, "https://"+host+"/", "alice@example.com"), 200, "/", "Alice Adams")
				a := b.press(b.click("https://"+host+"/"), "/sign-out")
				requirePage(t, a, 200, "/signed-out", "Your session in this portal has ended in", "You are still signed in at")
				assert.Zero(t, w.sessions["us-east-1"].Len(), "before the identity provider knows")
				assert.Zero(t, w.logoutMessages())
				assert.False(t, asksForPassword(b.copy(), host))

				a = b.press(a, atIdP)
				requirePage(t, a, 200, "/signed-out", "has ended its session too")
				assert.Equal(t, host, a.url.Host)
				assert.NotContains(t, a.body, atIdP)
				assert.Equal(t, 1, w.logoutMessages())
				assert.True(t, asksForPassword(b.copy(), host))
				requirePage(t, b.click("https://"+host+"/signed-out"), 200, "/signed-out", "has ended its session too")

				w.enter(b, "https://"+host+"/", "alice@example.com")
				for _, name := range []string{"__Host-meridian-signed-out", "__Host-meridian-signed-out-idp"} {
					assert.Empty(t, b.cookie(host, name), "a new session forgets the sign-out")
				}
			})
		}
	}
}

// An application that has no single logout keeps its session.
func TestPartialSignOutIsTold(t *testing.T) {
	w, _ := newLogoutWorld(t, nil)
	other, err := w.idp.AddApp(mockidp.App{
		Label: "Wiki", Audience: "https://wiki.example", ACS: []mockidp.ACS{{URL: "https://wiki.example/acs"}},
		Groups: []string{mockidp.Everyone},
	})
	require.NoError(t, err)
	b := w.browser()
	a := w.enter(b, "https://"+virginia+"/", "alice@example.com")
	_, err = b.Open(w.idp.TileURL(other.ID))
	require.NoError(t, err)
	a = b.press(b.press(a, "/sign-out"), atIdP)
	requirePage(t, a, 200, "/signed-out", "Sessions at other services may still be active")
}

// An identity provider whose only logout is by SOAP is asked by the portal. Here it can't be reached (G34).
func TestSignOutBySOAP(t *testing.T) {
	w, _ := newLogoutWorld(t, nil)
	b := w.browser()
	a := w.enter(b, "https://"+virginia+"/", "alice@example.com")
	idp := w.idps.IdP()
	soap, err := saml.NewIdP(saml.IdPConfig{
		EntityID: idp.EntityID(), Certificates: idp.Certificates(), SSO: idp.SSOServices(),
		Logout: []saml.LogoutService{{Binding: saml.SOAP, URL: "http://127.0.0.1:1/slo"}},
	})
	require.NoError(t, err)
	w.idps.Replace(soap)
	a = b.press(a, "/sign-out")
	requirePage(t, a, 200, "/signed-out", "Your session in this portal has ended in", "You are still signed in at")
	assert.Zero(t, w.sessions["us-east-1"].Len())
	a = b.press(a, atIdP)
	requirePage(t, a, 200, "/signed-out", "did not confirm that it signed you out")
	assert.Contains(t, w.log.String(), `SOAP (Bindings 3.2.3)`)
}

// If the identity provider doesn't answer, or the record is gone, the page says so, and has the configured link.
func TestIdentityProviderThatWasNotTold(t *testing.T) {
	const page = "https://idp.example/sign-out?a=1&b=2"
	md, err := saml.ParseIdPMetadata(worldWithIdP(t).idp.Metadata("")) // its entity ID is always the same
	require.NoError(t, err)
	w, _ := newLogoutWorld(t, func(c *portal.Config) { c.SignOutURLs = map[string]string{md.EntityID(): page} })
	idp, err := url.Parse(w.idp.URL)
	require.NoError(t, err)
	up, link := w.hosts[idp.Host], `href="https://idp.example/sign-out?a=1&amp;b=2"`
	out := func(b *browser) answer {
		w.hosts[idp.Host] = up
		return b.press(w.enter(b, "https://"+frankfurt+"/", "alice@example.com"), "/sign-out")
	}
	untold := func(a answer) {
		t.Helper()
		requirePage(t, a, 200, "/signed-out", "did not confirm that it signed you out", link)
		assert.NotContains(t, a.body, atIdP)
	}
	b := w.browser()
	a := out(b)
	assert.NotContains(t, a.body, link, "the identity provider can be told")
	w.hosts[idp.Host] = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(502) })
	b.press(a, atIdP)
	untold(b.click("https://" + frankfurt + "/signed-out"))
	untold(b.submit("https://"+frankfurt+atIdP, url.Values{})) // a second click

	b = w.browser()
	a = out(b)
	w.clock.Advance(16 * time.Minute)
	untold(b.press(a, atIdP))

	b = w.browser()
	a = out(b)
	require.NoError(t, w.idp.UpdateApp(w.idp.Apps()[0].ID, func(a *mockidp.App) error {
		a.LogoutURL, a.LogoutResponseURL = "", ""
		return nil
	}))
	assert.Equal(t, 1, strings.Count(a.body, atIdP))
	b.press(a, atIdP)
	untold(b.click("https://" + frankfurt + "/signed-out"))
}

// Without single logout there is only the link, or the advice.
func TestSignOutWithoutSingleLogout(t *testing.T) {
	w := newWorld(t, nil)
	b := w.browser()
	w.signIn(b, "https://"+virginia+"/", "alice@example.com")
	a := b.submit("https://"+virginia+"/sign-out", url.Values{})
	requirePage(t, a, 200, "/signed-out", "You may still be signed in at", "close all windows of your browser")
	assert.NotContains(t, a.body, atIdP)
	requirePage(t, b.submit("https://"+virginia+atIdP, url.Values{}), 200, "/signed-out", "did not confirm")
}

// The portal's host needs a logout URL of its own, because the answer needs its cookie.
func TestSignOutAtAHostWithoutLogoutURL(t *testing.T) {
	w, _ := newLogoutWorld(t, nil)
	view, err := w.inst.In("us-east-1")
	require.NoError(t, err)
	require.NoError(t, view.Update(func(tx *center.Tx) error {
		r := data().Regions[0]
		r.PortalURLs = []string{"https://" + startVirginia}
		return tx.PutRegion(r)
	}))
	w.hosts[startVirginia] = w.hosts[virginia]
	b := w.browser()
	a := b.press(w.enter(b, "https://"+startVirginia+"/", "alice@example.com"), "/sign-out")
	requirePage(t, a, 200, "/signed-out", "You may still be signed in at")
	assert.NotContains(t, a.body, atIdP)
}

func TestSignOutURLs(t *testing.T) {
	for raw, ok := range map[string]bool{
		"https://idp.example/out": true, "http://idp.localhost:8080/out": true,
		"http://idp.example/out": false, "https://user:secret@idp.example/": false, "//idp.example/": false,
		"javascript:alert(1)": false, "": false, "https:///out": false, "/out": false,
	} {
		var cfg portal.Config
		newWorld(t, func(c *portal.Config) { cfg = *c })
		cfg.SignOutURLs = map[string]string{"https://idp.example": raw}
		_, err := portal.New(cfg)
		if ok {
			assert.NoError(t, err, raw)
			continue
		}
		var e *portal.Error
		require.ErrorAs(t, err, &e, raw)
		assert.Equal(t, portal.ReasonConfig, e.Reason, raw)
		assert.NotContains(t, err.Error(), "secret")
	}
}

// A session that ends by idleness, or at its end, sends nothing to the identity provider (SDP-SP35).
func TestIdleSessionSendsNoLogout(t *testing.T) {
	w, _ := newLogoutWorld(t, nil)
	b := w.browser()
	w.enter(b, "https://"+virginia+"/", "alice@example.com")
	for _, d := range []time.Duration{time.Hour, 8 * time.Hour} {
		w.clock.Advance(d)
		p, err := b.Look("https://" + virginia + "/")
		require.NoError(t, err)
		assert.Equal(t, "https://"+virginia+"/login", p.Refresh())
		p, err = b.Look("https://" + virginia + "/login")
		require.NoError(t, err)
		assert.Contains(t, p.Location(), "SAMLRequest=")
	}
	assert.Zero(t, w.logoutMessages())
	requirePage(t, b.submit("https://"+virginia+"/sign-out", url.Values{}), 200, "/signed-out")
	assert.Zero(t, w.logoutMessages())
}

// After a sign-out the next sign-in asks with ForceAuthn if that is configured, once.
func TestForceAuthnAfterSignOut(t *testing.T) {
	for _, configured := range []bool{false, true} {
		w, _ := newLogoutWorld(t, func(c *portal.Config) { c.ForceAuthnAfterSignOut = configured })
		b := w.browser()
		a := w.enter(b, "https://"+virginia+"/", "alice@example.com")
		requirePage(t, b.press(a, "/sign-out"), 200, "/signed-out")
		assert.Equal(t, configured, asksForPassword(b, virginia))
		assert.Equal(t, configured, asksForPassword(b, virginia), "until a session begins")
		requirePage(t, w.enter(b, "https://"+virginia+"/", "alice@example.com"), 200, "/", "Alice Adams")
		assert.Empty(t, b.cookie(virginia, "__Host-meridian-force-authn"))
		assert.False(t, asksForPassword(b.copy(), frankfurt), "another host")
		w.clock.Advance(61 * time.Minute)
		assert.False(t, asksForPassword(b, virginia), "the session was idle")
	}
}

// The sign-in starts at the consumer's host, which doesn't have the portal's cookie.
func TestForceAuthnAfterSignOutAtAPortalWithoutConsumer(t *testing.T) {
	w := newApart(t, func(c *portal.Config) { c.ForceAuthnAfterSignOut = true })
	forced := func(a answer) bool {
		requireAtIdP(t, w, a)
		u, err := url.Parse(a.Header.Get("Location"))
		require.NoError(t, err)
		request, err := testkit.Inflated(u.Query().Get("SAMLRequest"))
		require.NoError(t, err)
		return strings.Contains(string(request), `ForceAuthn="true"`)
	}
	b := w.browser()
	a := b.get("https://" + startVirginia + "/")
	assert.False(t, forced(a))
	requirePage(t, w.atIdP(b, a, "alice@example.com"), 200, "/", "Alice Adams")
	requirePage(t, b.submit("https://"+startVirginia+"/sign-out", url.Values{}), 200, "/signed-out")
	a = b.get("https://" + startVirginia + "/")
	assert.True(t, forced(a))
}

// “Everywhere” asks first, and then names the Regions.
func TestSignOutEverywhereAsks(t *testing.T) {
	peers := &heard{}
	w, _ := newLogoutWorld(t, func(c *portal.Config) { c.Replication = peers })
	peers.set(portal.Peer{Region: "us-east-1", State: portal.PeerUnreachable, Heard: w.clock.Now()},
		portal.Peer{Region: "eu-central-1", State: portal.PeerReplicated, Heard: w.clock.Now()})
	b, other := w.browser(), w.browser()
	w.enter(other, "https://"+virginia+"/", "alice@example.com")
	w.enter(b, "https://"+frankfurt+"/", "alice@example.com")
	a := b.click("https://" + frankfurt + "/sessions/end-all")
	requirePage(t, a, 200, "/sessions/end-all", "Sign out everywhere?", "N. Virginia, Frankfurt",
		"N. Virginia is not reached now.", "Keep my sessions")
	assert.Equal(t, 2, w.sessions["us-east-1"].Len(), "a question ends nothing")
	a = b.press(a, "/sessions/end-all")
	requirePage(t, a, 200, "/signed-out", "You are signed out", "has ended in Frankfurt.",
		"N. Virginia was not reached.", atIdP)
	assert.NotContains(t, a.body, "everywhere", "a session may live on")
	assert.Zero(t, w.sessions["us-east-1"].Len())
	requirePage(t, b.press(a, atIdP), 200, "/signed-out", "has ended its session too", "N. Virginia was not reached.")
}

// With every Region reached, all sessions have ended.
func TestSignedOutEverywhere(t *testing.T) {
	w, _ := newLogoutWorld(t, nil)
	b, other := w.browser(), w.browser()
	w.enter(other, "https://"+virginia+"/", "alice@example.com")
	w.enter(b, "https://"+frankfurt+"/", "alice@example.com")
	a := b.press(b.click("https://"+frankfurt+"/sessions/end-all"), "/sessions/end-all")
	requirePage(t, a, 200, "/signed-out", "You are signed out everywhere", "have ended in N. Virginia, Frankfurt.")
	assert.NotContains(t, a.body, "not reached")
}

// The page shows nothing that the browser's cookie doesn't say, and no form of another site reaches the identity
// provider.
func TestSignedOutPageOfAStranger(t *testing.T) {
	peers := &heard{}
	w, _ := newLogoutWorld(t, func(c *portal.Config) { c.Replication = peers })
	peers.set(portal.Peer{Region: "us-east-1", State: portal.PeerUnreachable},
		portal.Peer{Region: "eu-central-1", State: portal.PeerUnreachable})
	b := w.browser()
	for _, value := range []string{"", "x", "e30", "eyJzIjoieCJ9", "bnVsbA", "W10", strings.Repeat("A", 4000)} {
		b.put(virginia, &http.Cookie{Name: "__Host-meridian-signed-out", Value: value, Path: "/", Secure: true})
		a := b.click("https://" + virginia + "/signed-out")
		requirePage(t, a, 200, "/signed-out", "Your session in this portal has ended.")
		assert.NotContains(t, a.body, "not reached")
		assert.NotContains(t, a.body, atIdP)
	}
	a := b.press(w.enter(b, "https://"+virginia+"/", "alice@example.com"), "/sign-out")
	assert.Contains(t, a.body, atIdP)
	refused := b.post("https://"+virginia+atIdP, url.Values{})
	requirePage(t, refused, 403, atIdP, "Refused")
	assert.Zero(t, w.logoutMessages())
	requirePage(t, b.press(a, atIdP), 200, "/signed-out", "has ended its session too")
}
