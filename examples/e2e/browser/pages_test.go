package browser_test

import (
	"context"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/portal"
)

// widths are those of a desktop and of a phone.
var widths = []int64{1280, 390}

// checkPage checks the open page at both widths, and saves a screenshot if
// MERIDIAN_SCREENSHOTS names a folder.
func (b *tab) checkPage(name string) {
	b.t.Helper()
	for _, width := range widths {
		assert.Empty(b.t, b.faults(width), "%s at %d pixels", name, width)
		b.picture(name + "-" + strconv.FormatInt(width, 10))
	}
	b.size(widths[0], 900)
}

func (b *tab) picture(name string) {
	b.t.Helper()
	folder := os.Getenv("MERIDIAN_SCREENSHOTS")
	if folder == "" {
		return
	}
	png, err := chromedp.Run(b.ctx, chromedp.FullScreenshot(100))
	require.NoError(b.t, err)
	require.NoError(b.t, os.MkdirAll(folder, 0o755))
	require.NoError(b.t, os.WriteFile(filepath.Join(folder, name+".png"), png, 0o644))
}

func testPages(t *testing.T, chromium context.Context) {
	w := newWorld(t, nil)
	t.Run("identity provider", func(t *testing.T) { testIdPPages(t, chromium, w) })
	t.Run("portal", func(t *testing.T) { testPortalPages(t, chromium, w) })
	t.Run("refusals", func(t *testing.T) { testRefusalPages(t, chromium, w) })
	t.Run("identity", func(t *testing.T) { testConfirmPage(t, chromium, w) })
	t.Run("without script", func(t *testing.T) { testHandOnPages(t, chromium, w) })
}

func testIdPPages(t *testing.T, chromium context.Context, w *world) {
	b := newTab(t, chromium)
	b.expectRefusals() // the wrong password, the app that isn't Alice's
	b.open(w.idp.SignInURL())
	b.checkPage("idp-signin")
	b.open(w.portals[frankfurt])
	b.reads("to continue to")
	b.checkPage("idp-signin-for-app")
	b.until(`document.activeElement.id === "username"`)
	b.press(alice + "\twrong\r")
	b.reads("Unable to sign in")
	b.checkPage("idp-signin-failed")
	b.dashboard(w, alice)
	b.checkPage("idp-dashboard")
	payroll := w.idp.Apps()[2]
	b.open(w.idp.SSOURL(payroll.ID))
	b.reads("You don't have access to this app")
	b.checkPage("idp-no-access")
	b.open(w.idp.SSOURL("") + "?SAMLRequest=nonsense")
	b.reads("This request can't be answered")
	b.checkPage("idp-bad-request")
}

func testPortalPages(t *testing.T, chromium context.Context, w *world) {
	b := newTab(t, chromium)
	b.expectRefusals() // the page that isn't there
	for _, region := range []string{virginia, frankfurt} {
		home := w.portals[region]
		b.open(home)
		if region == virginia {
			b.signInAtIdP(w, alice)
		}
		b.arrived(w, region, "Alice Adams", acs.FlowSP)
		b.checkPage("portal-" + region + "-accounts")
		b.open(home + "/applications")
		b.checkPage("portal-" + region + "-applications")
		b.open(home + "/accounts/444455556666/AdministratorAccess")
		b.checkPage("portal-" + region + "-role")
		b.open(home + "/accounts/444455556666/NoSuchAccess")
		b.checkPage("portal-" + region + "-no-role")
		b.open(home + "/no/such/page")
		b.checkPage("portal-" + region + "-not-found")
		b.open(home)
		b.signOut(w, region)
		b.checkPage("portal-" + region + "-signed-out")
	}
}

func testRefusalPages(t *testing.T, chromium context.Context, w *world) {
	b := newTab(t, chromium)
	b.expectRefusals()
	b.open(w.portals[frankfurt])
	b.signInAtIdP(w, mallory)
	b.at(w.acs(frankfurt))
	last := w.signIn()
	assert.Equal(t, portal.ReasonUnknownUser, last.Reason)
	b.reads("You can't sign in", last.Reference)
	b.checkPage("portal-no-access")
	b.open(w.acs(frankfurt))
	b.reads("Sign in again", "MRD-")
	b.checkPage("acs-refused")
}

func testConfirmPage(t *testing.T, chromium context.Context, w *world) {
	b := newTab(t, chromium)
	b.open(w.portals[virginia])
	b.signInAtIdP(w, bob)
	b.arrived(w, virginia, "Bob Berg", acs.FlowSP)
	b.checkPage("portal-bob-accounts")
	b.signOutAtIdP(w)
	b.dashboard(w, alice)
	b.tile(samlTile)
	b.reads("Continue as Alice Adams?")
	b.checkPage("portal-confirm")
}

// The intermediate pages show only without scripts.
func testHandOnPages(t *testing.T, chromium context.Context, w *world) {
	b := newTab(t, chromium)
	b.withoutScript()
	b.dashboard(w, alice)
	b.tile(samlTile)
	b.reads("Signing in to " + samlTile)
	b.checkPage("idp-post")
}
