package browser_test

import (
	"context"
	"net/http"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/portal"
)

// The SAML tile leads to the first URL of the app's list, the bookmark to the
// other Region by a sign-in that begins there.
func testTiles(t *testing.T, chromium context.Context) {
	w := newWorld(t, nil)
	b := newTab(t, chromium)
	b.dashboard(w, alice)

	b.tile(samlTile)
	b.arrived(w, virginia, "Alice Adams", acs.FlowIdP)
	b.visitPages(w, virginia)

	b.open(w.idp.DashboardURL())
	b.tile(bookmarkTile)
	b.arrived(w, frankfurt, "Alice Adams", acs.FlowSP)
	b.visitPages(w, frankfurt)

	_, n := w.verdict()
	assert.Equal(t, 2, n, "one response for each tile")
}

// visitPages visits the pages of a portal by its links.
func (b *tab) visitPages(w *world, region string) {
	b.t.Helper()
	home := w.portals[region]
	b.at(home + "/")
	b.reads("Production", "111122223333", "Staging", "Sandbox of the data platform team", "AdministratorAccess",
		"ReadOnlyAccess")
	b.reads("Regions", virginia, frankfurt)
	assert.Equal(b.t, region, onPage[string](b, `document.querySelector("[aria-current=true] strong").innerText`), "the Region that one is in")

	b.click(`a[href="/applications"]`)
	b.at(home + "/applications")
	b.reads("Wiki", "Notebooks", "Incident desk")

	b.open(home + "/")
	b.click(`a[href="/accounts/444455556666/AdministratorAccess"]`)
	b.at(home + "/accounts/444455556666/AdministratorAccess")
	b.reads("AdministratorAccess", "Staging", region, "2 hours")
}

// A cold start in the Region that isn't the default leads back to it, to the
// page that was wanted.
func testCold(t *testing.T, chromium context.Context) {
	w := newWorld(t, nil)
	b := newTab(t, chromium)
	b.open(w.portals[frankfurt] + "/applications")
	b.reads("Sign in", "to continue to "+samlTile)
	b.signInAtIdP(w, bob)
	b.at(w.portals[frankfurt] + "/applications")
	b.reads("Bob Berg", "Wiki")
	v, n := w.verdict()
	require.True(t, v.Accepted, "%+v", v)
	assert.Equal(t, 1, n)
	assert.Equal(t, [3]string{frankfurt, w.acs(frankfurt), acs.FlowSP}, [3]string{v.Region, v.ACS, v.Flow})
}

// A portal's link to another Region signs the person in there, silently while
// the identity provider has a session.
func testOtherRegion(t *testing.T, chromium context.Context) {
	w := newWorld(t, nil)
	b := newTab(t, chromium)
	b.open(w.portals[virginia])
	b.signInAtIdP(w, alice)
	b.arrived(w, virginia, "Alice Adams", acs.FlowSP)
	b.click(chromedp.CSS(`nav.regions a[href="` + w.portals[frankfurt] + `"]`))
	b.arrived(w, frankfurt, "Alice Adams", acs.FlowSP)
}

// Signing out of one portal ends its session there and in the server, and
// leaves the other Region's alone. The Back button does not show it again.
func testSignOut(t *testing.T, chromium context.Context) {
	w := newWorld(t, nil)
	b := newTab(t, chromium)
	b.dashboard(w, alice)
	b.tile(samlTile)
	b.arrived(w, virginia, "Alice Adams", acs.FlowIdP)
	b.open(w.portals[frankfurt])
	b.arrived(w, frankfurt, "Alice Adams", acs.FlowSP)
	b.signOutAtIdP(w)

	for _, region := range []string{virginia, frankfurt} {
		home := w.portals[region] + "/"
		b.open(home)
		b.reads("Alice Adams", region, "Your access")
		kept := b.cookies(home)[portal.SessionCookie]
		require.NotNil(t, kept)
		assert.Equal(t, http.StatusOK, w.statusWith(t, home+"sessions", kept.Value), "the session before")

		b.signOut(w, region)
		assert.NotContains(t, b.cookies(home), portal.SessionCookie)
		assert.Equal(t, http.StatusSeeOther, w.statusWith(t, home+"sessions", kept.Value), "the session after")

		b.do(chromedp.NavigateBack())
		b.reads("Sign in", "Username")
		b.at(w.idp.URL + "/*")
		b.open(home)
		b.reads("Sign in", "Username")
		b.at(w.idp.URL + "/*")
	}
}

// statusWith returns the portal's status to a client that has that session
// identifier.
func (w *world) statusWith(t *testing.T, addr, session string) int {
	t.Helper()
	r, err := http.NewRequest(http.MethodGet, addr, nil)
	require.NoError(t, err)
	r.AddCookie(&http.Cookie{Name: portal.SessionCookie, Value: session})
	res, err := w.client().Do(r)
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	return res.StatusCode
}

// client follows no redirects, and resolves *.localhost as browsers do.
func (w *world) client() *http.Client {
	c := w.idp.Client()
	c.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return c
}

// A browser changes to another user only after a confirmation.
func testIdentity(t *testing.T, chromium context.Context) {
	w := newWorld(t, nil)
	b := newTab(t, chromium)
	b.open(w.portals[virginia])
	b.signInAtIdP(w, bob)
	b.arrived(w, virginia, "Bob Berg", acs.FlowSP)
	b.signOutAtIdP(w)
	b.dashboard(w, alice)

	asked := func() {
		t.Helper()
		b.tile(samlTile)
		b.at(w.portals[virginia] + "/continue*")
		b.reads("Continue as Alice Adams?", "You are signed in as Bob Berg")
	}
	asked()
	b.click(`button[value="stay"]`)
	b.arrived(w, virginia, "Bob Berg", acs.FlowIdP)

	b.open(w.idp.DashboardURL())
	asked()
	b.open(w.portals[virginia]) // no answer is no change
	b.reads("Bob Berg")

	b.open(w.idp.DashboardURL())
	asked()
	b.click(`button[value="continue"]`)
	b.arrived(w, virginia, "Alice Adams", acs.FlowIdP)
	assert.NotContains(t, onPage[string](b, "document.body.innerText"), "Bob")
}
