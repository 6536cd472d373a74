package portal_test

import (
	"strings"
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
	b.do(chromedp.Evaluate[chromedp.Void](`for (const d of document.querySelectorAll("main details")) d.open = true`))
	copied := func(id string) string {
		button := `document.querySelector('button[data-copy="` + id + `"]')`
		b.click(`button[data-copy="` + id + `"]`)
		b.until(button + `.textContent === "Copied"`)
		got, err := chromedp.Run(b.ctx, chromedp.Evaluate[string](`navigator.clipboard.readText()`, chromedp.EvalAwaitPromise))
		require.NoError(t, err)
		return got
	}
	acs := strings.Split(copied("all-acs"), "\n")
	require.Len(t, acs, 2)
	require.Contains(t, acs[0], "/platform/saml/acs/4455")
	require.Equal(t, home+"/platform/saml/d-9067f1a2b3", copied("entity-id"))
	require.Equal(t, home+"/metadata", copied("metadata-url"))
	require.Equal(t, "us-east-1.localhost\nsignin-eu-central-1.localhost", strings.Replace(copied("domains"),
		"eu-central-1.localhost\n", "", 1))
	b.open(home + "/operator/people/person?id=alice%40example.com")
	require.Regexp(t, `^[0-9a-f-]{36}$`, copied("user-id"))

	b.open(home + "/operator") // where a browser doesn't let it copy, the text is selected
	b.do(chromedp.Evaluate[chromedp.Void](`document.querySelectorAll("main details").forEach((d) => { d.open = true });
		navigator.clipboard.writeText = () => Promise.reject(new Error("no"))`))
	for id, want := range map[string]string{
		"entity-id": home + "/platform/saml/d-9067f1a2b3", "domains": "us-east-1.localhost",
	} {
		b.click(`button[data-copy="` + id + `"]`)
		b.until(`getSelection().toString().startsWith(` + js(want) + `)`)
	}
}
