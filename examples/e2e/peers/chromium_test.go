package peers_test

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp/testkit"
)

// chromiumPatience is how long a test waits for a page on a busy machine.
const chromiumPatience = time.Minute

// A chromium is a tab of a real browser, which trusts the certificate of our consumers.
type chromium struct {
	t   *testing.T
	ctx context.Context
}

func startChromium(t *testing.T) *chromium {
	t.Helper()
	_, cert := peerTLS()
	pin := sha256.Sum256(cert.RawSubjectPublicKeyInfo)
	allocator, stop := chromedp.NewExecAllocator(context.Background(), append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(testkit.RequireChromium(t)),
		chromedp.NoSandbox, // as root there is none
		chromedp.DisableGPU,
		chromedp.Flag("disable-component-update", true),
		chromedp.Flag("no-proxy-server", true),
		chromedp.Flag("ignore-certificate-errors-spki-list", base64.StdEncoding.EncodeToString(pin[:])),
	)...)
	t.Cleanup(stop)
	ctx, cancel := chromedp.NewContext(allocator)
	t.Cleanup(cancel)
	require.NoError(t, chromedp.Do(ctx))
	return &chromium{t, ctx}
}

// of returns the same tab for a subtest.
func (b *chromium) of(t *testing.T) *chromium { return &chromium{t, b.ctx} }

// do runs actions, with a time limit.
func (b *chromium) do(actions ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, chromiumPatience)
	defer cancel()
	require.NoError(b.t, chromedp.Do(ctx, actions...))
}

func (b *chromium) open(address string) { b.t.Helper(); b.do(chromedp.Navigate(address)) }

func (b *chromium) click(css string) {
	b.t.Helper()
	b.do(chromedp.Click(chromedp.CSS(css), chromedp.NodeVisible))
}

// evaluate returns a text of the page.
func (b *chromium) evaluate(expression string) (string, error) {
	ctx, cancel := context.WithTimeout(b.ctx, chromiumPatience)
	defer cancel()
	return chromedp.Run(ctx, chromedp.Evaluate[string](expression))
}

// reads waits until the page that a navigation ends at has a text.
func (b *chromium) reads(text string) {
	b.t.Helper()
	quoted, err := json.Marshal(text)
	require.NoError(b.t, err)
	last := ""
	found := func() bool {
		const page = `document.readyState + " " + location.href + "\n" + document.body.innerText`
		yes, err := b.evaluate(`document.readyState === "complete" && document.body.innerText.includes(` +
			string(quoted) + `) ? "yes" : ` + page)
		if err == nil { // it fails during a navigation
			last = yes
		}
		return yes == "yes"
	}
	ticker := time.NewTicker(15 * time.Millisecond)
	defer ticker.Stop()
	for deadline := time.Now().Add(chromiumPatience); !found(); <-ticker.C {
		require.Less(b.t, time.Now(), deadline, "the page never has %q: %s", text, last)
	}
}

// follow presses Tab until a link with a text has the focus, and then Enter.
func (b *chromium) follow(text string) {
	b.t.Helper()
	var seen []string
	for range 40 {
		b.do(chromedp.KeyEvent(kb.Tab))
		focus, err := b.evaluate(`document.activeElement.innerText.trim().split("\n")[0]`)
		require.NoError(b.t, err)
		if focus == text {
			b.do(chromedp.KeyEvent(kb.Enter))
			return
		}
		seen = append(seen, focus)
	}
	require.Fail(b.t, "Tab never gets there", "want %q, got %q", text, seen)
}
