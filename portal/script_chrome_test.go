package portal_test

import (
	"testing"

	cdp "github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/require"
)

func (b *tab) password() {
	b.t.Helper()
	b.until(`document.activeElement.id === "username"`)
	b.do(chromedp.KeyEvent("alice@example.com" + kb.Tab + "open-sesame" + kb.Enter))
}

func (b *tab) scripts(on bool) {
	b.t.Helper()
	_, err := chromedp.Call(b.ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{
		Value: !on,
	})
	require.NoError(b.t, err)
}

// A part after "#" is not sent to a server, so the portal's script turns it into a path before the sign-in, and never
// into another origin. Without a script the sign-in begins by itself.
func TestScriptOpensLinksWithAFragmentInChromium(t *testing.T) {
	s, b := newSite(t, nil, nil), newTab(t)
	home := s.portals["us-east-1"]
	b.scripts(false)
	b.open(home + "/")
	b.scripts(true) // to read the page
	b.until(`location.hostname === "idp.localhost"`)

	b.open(home + "/#/applications?q=wiki")
	b.password()
	b.at(home + "/applications?q=wiki")
	for _, fragment := range []string{"#//evil.example/", `#/\evil.example`, "#main", "#https://evil.example", "#/%0d//evil.example"} {
		b.open("about:blank")
		b.open(home + "/" + fragment)
		b.until(`location.origin === ` + js(home))
		b.reads("Alice Adams")
	}
	b.open(home + "/")
	b.do(chromedp.Evaluate[chromedp.Void](`location.hash = "#/sessions"`))
	b.at(home + "/sessions")
}

// The script shows instants in the user's time zone, and copies.
func TestScriptShowsLocalTimeAndCopiesInChromium(t *testing.T) {
	s, b := newSite(t, nil, nil), newTab(t)
	home := s.portals["us-east-1"]
	_, err := chromedp.Call(b.ctx, emulation.SetTimezoneOverride, emulation.SetTimezoneOverrideParams{
		TimezoneID: "Asia/Kolkata",
	})
	require.NoError(t, err)
	b.open(home + "/")
	b.password()
	b.until(`document.querySelector("aside time").textContent.includes("GMT+5:30")`)
	b.until(`document.querySelector("aside time").title.endsWith("UTC")`)

	for _, name := range []string{"clipboard-read", "clipboard-write"} {
		_, err = chromedp.Call(b.ctx, cdp.SetPermission, cdp.SetPermissionParams{
			Permission: &cdp.PermissionDescriptor{Name: name}, Setting: cdp.PermissionSettingGranted,
		})
		require.NoError(t, err)
	}
	b.open(home + "/operator")
	b.click("details.list summary")
	b.click(`button[data-copy="all-acs"]`)
	b.until(`document.querySelector('button[data-copy="all-acs"]').textContent === "Copied"`)
	got, err := chromedp.Run(b.ctx, chromedp.Evaluate[string](`navigator.clipboard.readText()`, chromedp.EvalAwaitPromise))
	require.NoError(t, err)
	require.Contains(t, got, "/platform/saml/acs/4455")
}
