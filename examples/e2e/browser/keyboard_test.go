package browser_test

import (
	"context"
	"testing"

	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs"
)

// focusJS returns the element that has the focus, and whether that is visible: the element or a decoration of it is
// on the screen, with an outline that contrasts with the background.
const focusJS = `(() => {` + contrastJS + `
	const e = document.activeElement;
	const outlined = s => s.outlineStyle !== "none" && parseFloat(s.outlineWidth) >= 2 &&
		contrast(s.outlineColor, ground(e.parentElement)) >= 3;
	const box = e.getBoundingClientRect();
	return {
		Text: e === document.body ? "" : (e.innerText || e.id || e.tagName).trim().replace(/\s+/g, " "),
		Visible: [null, "::before", "::after"].some(p => outlined(getComputedStyle(e, p))),
		OnScreen: box.width > 1 && box.height > 1 && box.bottom > 0 && box.right > 0 && box.top < innerHeight &&
			box.left < innerWidth,
	};
})()`

type focus struct {
	Text              string
	Visible, OnScreen bool
}

// tabTo presses Tab until an element with that text has the focus. Every element on the way must show its focus.
func (b *tab) tabTo(text string) {
	b.t.Helper()
	b.until("true") // the page is complete
	var seen []string
	for range 40 {
		b.press(kb.Tab)
		f := onPage[focus](b, focusJS)
		if f.Text != "" {
			require.True(b.t, f.Visible, "the focus on %q can't be seen", f.Text)
			require.True(b.t, f.OnScreen, "the focus on %q is off the screen", f.Text)
		}
		if f.Text == text {
			return
		}
		seen = append(seen, f.Text)
	}
	require.Fail(b.t, "Tab never gets there", "want %q, got %q; %s", text, seen, b.where())
}

// follow is tabTo and Enter.
func (b *tab) follow(text string) { b.t.Helper(); b.tabTo(text); b.press(kb.Enter) }

// Both flows, all pages and signing out, with Tab, Enter and nothing else, in a
// browser that runs no script.
func testKeyboardWithoutScript(t *testing.T, chromium context.Context) {
	w := newWorld(t, nil)
	b := newTab(t, chromium)
	b.withoutScript()

	// From the dashboard to the first Region.
	b.open(w.idp.SignInURL())
	b.signInAtIdP(w, alice)
	b.at(w.idp.DashboardURL())
	b.followTile(samlTile)
	b.reads("Signing in to " + samlTile)
	b.follow("Continue")
	b.arrived(w, virginia, "Alice Adams", acs.FlowIdP)

	// Through the portal's pages.
	b.follow("Applications")
	b.at(w.portals[virginia] + "/applications")
	b.follow("Accounts")
	b.at(w.portals[virginia] + "/")
	b.closeAndOpen("Staging")
	b.follow("AdministratorAccess in Staging")
	b.at(w.portals[virginia] + "/accounts/444455556666/AdministratorAccess")
	b.follow("Back to your accounts")
	b.at(w.portals[virginia] + "/")

	// By the Region's link to a sign-in that begins there, and out of both.
	b.follow(frankfurt)
	b.reads("Signing in to " + samlTile)
	b.follow("Continue")
	b.arrived(w, frankfurt, "Alice Adams", acs.FlowSP)
	b.follow("Alice Adams")
	b.follow("Sign out")
	b.at(w.portals[frankfurt] + "/signed-out")
	b.open(w.portals[virginia])
	b.follow("Alice Adams")
	b.follow("Sign out")
	b.at(w.portals[virginia] + "/signed-out")

	// Sign in again by the page's button, then confirm the user.
	b.follow("Sign in")
	b.reads("Signing in to " + samlTile)
	b.follow("Continue")
	b.arrived(w, virginia, "Alice Adams", acs.FlowSP)
	b.open(w.idp.DashboardURL())
	b.follow("Sign out")
	b.at(w.idp.SignInURL())
	b.signInAtIdP(w, bob)
	b.at(w.idp.DashboardURL())
	b.followTile(samlTile)
	b.reads("Signing in to " + samlTile)
	b.follow("Continue")
	b.reads("Continue as Bob Berg?")
	b.follow("Continue as Bob Berg")
	b.arrived(w, virginia, "Bob Berg", acs.FlowIdP)

	// The link past the header.
	b.tabTo("Skip to content")
	b.press(kb.Enter)
	b.until(`location.hash === "#main"`)
	b.press(kb.Tab)
	require.Equal(t, "Accounts", onPage[focus](b, focusJS).Text, "what comes after the skip link")
}

// followTile is follow for a tile, whose text is more than its label.
func (b *tab) followTile(label string) {
	b.t.Helper()
	b.until(`[...document.querySelectorAll("a.tile")].some(a => a.innerText.includes(` + jsString(label) + `))`)
	b.follow(onPage[string](b, `[...document.querySelectorAll("a.tile")].find(a => a.innerText.includes(`+jsString(label)+`)).innerText.trim().replace(/\s+/g, " ")`))
}

// closeAndOpen works an account's disclosure with Enter.
func (b *tab) closeAndOpen(account string) {
	b.t.Helper()
	summary := `[...document.querySelectorAll("summary")].find(s => s.innerText.includes(` + jsString(account) + `))`
	open := summary + ".parentElement.open"
	b.follow(onPage[string](b, summary+`.innerText.trim().replace(/\s+/g, " ")`))
	b.until("!" + open)
	b.press(kb.Enter)
	b.until(open)
}
