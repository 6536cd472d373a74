package browser_test

import (
	"context"
	"encoding/json"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/audits"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/storage"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp/testkit"
)

// patience is how long a test waits for a condition on a busy machine.
const patience = 60 * time.Second

// tick is how often it is checked.
const tick = 15 * time.Millisecond

// startChromium starts one browser for all the tests; each opens tabs of its
// own in it, with cookies of their own.
func startChromium(t *testing.T) context.Context {
	t.Helper()
	path := testkit.RequireChromium(t)
	// The flags of chromedp disable background requests. chromedp makes a new
	// folder for the profile, and removes it.
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path),
		chromedp.NoSandbox, // as root there is none
		chromedp.DisableGPU,
		chromedp.Flag("disable-component-update", true),
		chromedp.Flag("no-proxy-server", true),
	)
	allocator, stop := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(stop)
	ctx, cancel := chromedp.NewContext(allocator)
	t.Cleanup(cancel)
	require.NoError(t, chromedp.Do(ctx), "start of %s", path)
	return ctx
}

// tab is a browser with its own cookies, and the errors that it logged.
type tab struct {
	t   *testing.T
	ctx context.Context

	mu         sync.Mutex
	complaints []string // guarded by mu
	refusals   bool     // pages with an error status are expected
}

// newTab opens a tab. At the end of the test it fails if the browser logged an
// error: a violation of a content security policy, a failed script, a missing
// file, or a rejected cookie.
func newTab(t *testing.T, within context.Context) *tab {
	t.Helper()
	b := openTab(t, within)
	t.Cleanup(func() {
		for _, c := range b.complained() {
			t.Errorf("the browser complained: %s", c)
		}
	})
	return b
}

// openTab is newTab without the check for errors. Within the context of another tab
// it shares that one's cookies.
func openTab(t *testing.T, within context.Context) *tab {
	t.Helper()
	b := &tab{t: t}
	options := []chromedp.ContextOption{chromedp.WithListener(b.listen)}
	if chromedp.FromContext(within).BrowserContextID == "" {
		options = append(options, chromedp.WithNewBrowserContext())
	}
	var cancel context.CancelFunc
	b.ctx, cancel = chromedp.NewContext(within, options...)
	t.Cleanup(cancel)
	require.NoError(t, chromedp.Do(b.ctx))
	_, err := chromedp.Call(b.ctx, audits.Enable, cdp.Empty{})
	require.NoError(t, err)
	b.size(1280, 900)
	return b
}

// do runs actions, with a time limit.
func (b *tab) do(actions ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, actions...); err != nil {
		require.NoError(b.t, err, b.where())
	}
}

func (b *tab) size(width, height int64) { b.t.Helper(); b.do(chromedp.EmulateViewport(width, height)) }

func (b *tab) withoutScript() {
	b.t.Helper()
	_, err := chromedp.Call(b.ctx, emulation.SetScriptExecutionDisabled,
		emulation.SetScriptExecutionDisabledParams{Value: true})
	require.NoError(b.t, err)
}

// open opens an address, as if typed.
func (b *tab) open(addr string) { b.t.Helper(); b.do(chromedp.Navigate(addr)) }

// press sends keys to the element that has the focus.
func (b *tab) press(keys string) { b.t.Helper(); b.do(chromedp.KeyEvent(keys)) }

// click clicks the first visible element with that selector.
func (b *tab) click(css chromedp.CSS) {
	b.t.Helper()
	b.do(chromedp.Click(css, chromedp.NodeVisible))
}

// tryOnPage evaluates an expression on the page. It fails during a navigation.
func tryOnPage[T any](b *tab, expression string) (T, error) {
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	return chromedp.Run(ctx, chromedp.Evaluate[T](expression))
}

// onPage is tryOnPage on a page that stays.
func onPage[T any](b *tab, expression string) T {
	b.t.Helper()
	v, err := tryOnPage[T](b, expression)
	require.NoError(b.t, err, expression)
	return v
}

// until waits for an expression to be true on a page that is complete.
func (b *tab) until(expression string) {
	b.t.Helper()
	deadline := time.Now().Add(patience)
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	for ; ; <-ticker.C {
		ok, err := tryOnPage[bool](b, `document.readyState === "complete" && !!(`+expression+`)`)
		if err == nil && ok {
			return
		}
		if time.Now().After(deadline) {
			require.Fail(b.t, "never true: "+expression, "the last error: %v; %s", err, b.where())
		}
	}
}

// at waits for an address; what follows it doesn't matter if it ends in *.
func (b *tab) at(addr string) {
	b.t.Helper()
	if prefix, ok := strings.CutSuffix(addr, "*"); ok {
		b.until("location.href.startsWith(" + jsString(prefix) + ")")
		return
	}
	b.until("location.href === " + jsString(addr))
}

// reads waits for texts to be visible on the page.
func (b *tab) reads(texts ...string) {
	b.t.Helper()
	for _, text := range texts {
		b.until(`document.body.innerText.replace(/\s+/g, " ").includes(` + jsString(text) + `)`)
	}
}

// where returns the browser's address and text, for a test that failed.
func (b *tab) where() string {
	ctx, cancel := context.WithTimeout(b.ctx, 5*time.Second)
	defer cancel()
	s, err := chromedp.Run(ctx, chromedp.Evaluate[string](`location.href + "\n" + document.body.innerText`))
	if err != nil {
		return "the browser says nothing: " + err.Error()
	}
	return "the browser is at " + s
}

// cookies are the browser's for one address, by name.
func (b *tab) cookies(addr string) map[string]*network.Cookie {
	b.t.Helper()
	u, err := url.Parse(addr)
	require.NoError(b.t, err)
	id := chromedp.FromContext(b.ctx).BrowserContextID
	all, err := chromedp.CallBrowser(b.ctx, storage.GetCookies, storage.GetCookiesParams{BrowserContextID: id})
	require.NoError(b.t, err)
	out := map[string]*network.Cookie{}
	for _, c := range all.Cookies {
		if strings.TrimPrefix(c.Domain, ".") == u.Hostname() {
			out[c.Name] = c
		}
	}
	return out
}

func jsString(s string) string {
	b, err := json.Marshal(s)
	if err != nil {
		panic(err) // a string can always be written
	}
	return string(b)
}
