package browser_test

import (
	"context"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/examples/internal/fronted"
	"github.com/meridian-saml/meridian/mockidp"
)

// testForwardAuth walks through applications behind nginx and behind Caddy: a deep link, a step-up, a page that the
// user may not open, logout here and logout from the identity provider.
func testForwardAuth(t *testing.T, chromium context.Context) {
	program := filepath.Join(t.TempDir(), "forwardauth")
	out, err := exec.Command("go", "build", "-o", program, "../../forwardauth").CombinedOutput()
	require.NoError(t, err, string(out))
	for _, proxy := range []string{"nginx", "caddy"} {
		t.Run(proxy, func(t *testing.T) {
			w := fronted.Start(t, proxy, func(args ...string) { fronted.Run(t, exec.Command(program, args...)) })
			b := newTab(t, chromium)
			b.refusals = true // of the icon, which is no navigation
			b.walkForwardAuth(w, proxy)
		})
	}
}

func (b *tab) walkForwardAuth(w *fronted.World, proxy string) {
	b.t.Helper()
	signIn := func() {
		b.t.Helper()
		b.at(w.IdP.URL + "/*")
		b.until(`document.activeElement.id === "username"`)
		b.press(fronted.Alice + kb.Tab + mockidp.DefaultPassword + kb.Enter)
		b.until(`document.activeElement.id === "code"`)
		b.press(fronted.SecondFactor + kb.Enter)
	}
	const alice = `"Remote-User":["` + fronted.Alice + `"]`
	b.open(w.Wiki + "/page?q=a+b#top")
	signIn()
	b.at(w.Wiki + "/page?q=a+b")
	b.reads(`"Application":"wiki"`, alice, `"Target":"/page?q=a+b"`)
	b.open(w.Reports + "/q3") // silent
	b.at(w.Reports + "/q3")
	b.reads(`"Application":"reports"`, alice)

	b.open(w.Wiki + "/payroll") // needs an assertion that says that there was a second factor
	b.at(w.Wiki + "/payroll")
	b.reads(`"Target":"/payroll"`, alice)

	refused := openTab(b.t, b.ctx) // nginx shows a page of its own, in quirks mode
	refused.open(w.Wiki + "/internal")
	if proxy == "caddy" {
		refused.reads("You don't have access to this page")
		refused.audit("forwardauth-refused")
	}
	require.NotContains(b.t, onPage[string](refused, "document.body.innerText"), "Application")

	b.open(w.Wiki + "/.meridian/")
	b.reads("You are signed in as " + fronted.Alice)
	b.audit("forwardauth-home-" + proxy)
	b.click(`form[action="/.meridian/logout"] button`)
	b.reads("You are signed out")
	b.audit("forwardauth-out-" + proxy)
	for _, page := range []string{w.Wiki + "/page", w.Reports + "/q3"} {
		b.open(page)
		b.at(w.IdP.URL + "/*")
	}
	signIn()
	b.reads(`"Application":"reports"`, alice)
	b.open(w.IdP.DashboardURL())
	b.click(`form[action="/login/signout"] button`)
	b.reads("You are signed out", "Applications Signed out.")
	b.open(w.Reports + "/q3")
	b.at(w.IdP.URL + "/*")
}
