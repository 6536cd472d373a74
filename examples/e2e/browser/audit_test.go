package browser_test

import (
	"context"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/examples/internal/npm"
	"github.com/meridian-saml/meridian/mockidp/testkit"
)

// axeCore checks pages by the rules of WCAG that a program can check.
const axeCore = "axe-core@4.14.1"

var axeSource = sync.OnceValues(func() (string, error) {
	modules, err := npm.Modules(axeCore)
	if err != nil {
		return "", err
	}
	raw, err := os.ReadFile(filepath.Join(modules, "axe-core", "axe.min.js"))
	return string(raw), err
})

// testAudit checks the pages of each part with axe-core.
func testAudit(t *testing.T, chromium context.Context) {
	if _, err := axeSource(); err != nil {
		testkit.Lacking(t, "browser", axeCore+": "+err.Error())
	}
	for _, part := range []struct {
		name string
		test func(*testing.T, context.Context)
	}{
		{"finds", testAuditFinds},
		{"identity provider", testAuditIdP},
		{"compose", testAuditCompose},
		{"any service provider", testAuditAnySP},
		{"logout", testAuditLogout},
		{"logout in frames and by SOAP", testAuditLogoutFrames},
		{"admin console", testAuditConsole},
		{"discovery", testAuditDiscovery},
		{"attributes", testAuditAttributes},
		{"every page", testAuditSamples},
		{"portal", testAuditPortal},
		{"languages", testAuditLanguages},
		{"sign-out", testAuditSignOut},
		{"programs", testAuditPrograms},
	} {
		t.Run(part.name, func(t *testing.T) { part.test(t, chromium) })
	}
}

// audit checks the open page with axe-core at both widths, light and dark: WCAG 2.0 to 2.2, A and AA, and the best
// practices. It saves screenshots as picture does.
func (b *tab) audit(name string) {
	b.t.Helper()
	for _, scheme := range []string{"light", "dark"} {
		b.scheme(scheme)
		for _, width := range widths {
			b.size(width, 900)
			b.until("innerWidth === " + strconv.FormatInt(width, 10))
			assert.Empty(b.t, b.violations(), "%s, %s at %d pixels", name, scheme, width)
			b.picture(name + "-" + scheme + "-" + strconv.FormatInt(width, 10))
		}
	}
	b.scheme("light")
	b.size(widths[0], 900)
}

// scheme sets the colours that the user prefers.
func (b *tab) scheme(name string) {
	b.t.Helper()
	_, err := chromedp.Call(b.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: name}},
	})
	require.NoError(b.t, err)
}

// block keeps the browser from loading a file. (axe-core doesn't run where scripts are switched off.)
func (b *tab) block(addr string) {
	b.t.Helper()
	_, err := chromedp.Call(b.ctx, network.SetBlockedURLs, network.SetBlockedURLsParams{
		URLPatterns: []*network.BlockPattern{{URLPattern: addr, Block: true}},
	})
	require.NoError(b.t, err)
}

// violations returns a line for each violation on the open page, and for an element that is wider than the page.
func (b *tab) violations() []string {
	b.t.Helper()
	return b.violationsOf(`"wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa", "best-practice"`)
}

// violationsOf is violations of rules with one of these tags.
func (b *tab) violationsOf(tags string) []string {
	b.t.Helper()
	source, err := axeSource()
	require.NoError(b.t, err)
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	found, err := chromedp.Run(ctx, chromedp.Evaluate[[]string](`(() => { if (!window.axe) {`+source+`}
		return axe.run(document, { resultTypes: ["violations"], rules: { "target-size": { enabled: true } }, runOnly:
			[`+tags+`] })
			.then(r => r.violations.flatMap(v => v.nodes.map(n => v.id + ": " + n.html.slice(0, 200) + ": " +
				(n.any.concat(n.all, n.none)[0] || {}).message))
				.concat(document.documentElement.scrollWidth > innerWidth ? ["the page scrolls sideways"] : [])); })()`,
		chromedp.EvalAwaitPromise))
	require.NoError(b.t, err, b.where())
	return found
}

// The audit finds faults, of each kind of rule and of one scheme alone.
func testAuditFinds(t *testing.T, chromium context.Context) {
	b := openTab(t, chromium)
	b.open(`data:text/html,<!DOCTYPE html><title>x</title><meta name=viewport content="width=device-width">` +
		`<style>html{background:white}@media(prefers-color-scheme:dark){p{color:%23eee}}</style>` +
		`<main><p>text</p><button></button><button style="font-size:2px">x</button><button style="font-size:2px">y</button>` +
		`<div style="width:500px">wide</div></main>`)
	rules := func() map[string]bool {
		out := map[string]bool{}
		for _, v := range b.violations() {
			rule, _, _ := strings.Cut(v, ":")
			out[rule] = true
		}
		return out
	}
	b.size(1280, 900)
	b.scheme("light")
	light := rules()
	for _, want := range []string{"button-name", "html-has-lang", "page-has-heading-one", "target-size"} {
		assert.Contains(t, light, want)
	}
	assert.NotContains(t, light, "color-contrast")
	b.scheme("dark")
	assert.Contains(t, rules(), "color-contrast")
	b.size(390, 900)
	b.until("innerWidth === 390")
	assert.Contains(t, b.violations(), "the page scrolls sideways")
}
