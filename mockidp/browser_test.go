package mockidp_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp"
	"github.com/meridian-saml/meridian/mockidp/testkit"
)

// chrome starts Chromium once for all browser tests.
func chrome(t *testing.T) context.Context {
	t.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(testkit.RequireChromium(t)),
		chromedp.NoSandbox, // root has no sandbox
		chromedp.DisableGPU, chromedp.Flag("disable-component-update", true), chromedp.Flag("no-proxy-server", true))
	allocator, stop := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(stop)
	ctx, cancel := chromedp.NewContext(allocator)
	t.Cleanup(cancel)
	require.NoError(t, chromedp.Do(ctx))
	return ctx
}

// window is a browser with its own cookies.
type window struct {
	t   *testing.T
	ctx context.Context

	mu         sync.Mutex
	complaints []string // log entries about content security policies and scripts
}

func openWindow(t *testing.T, chromium context.Context, script bool) *window {
	t.Helper()
	w := &window{t: t}
	var cancel context.CancelFunc
	w.ctx, cancel = chromedp.NewContext(chromium, chromedp.WithNewBrowserContext(), chromedp.WithListener(w.listen))
	t.Cleanup(cancel)
	require.NoError(t, chromedp.Do(w.ctx))
	if !script {
		_, err := chromedp.Call(w.ctx, emulation.SetScriptExecutionDisabled,
			emulation.SetScriptExecutionDisabledParams{Value: true})
		require.NoError(t, err)
	}
	t.Cleanup(func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		assert.Empty(t, w.complaints)
	})
	return w
}

// listen is called by the goroutine that reads from the browser.
func (w *window) listen(event any) {
	e, ok := event.(*log.EventEntryAdded)
	if !ok || e.Entry.Source == log.EntrySourceNetwork || e.Entry.Level == log.EntryLevelInfo ||
		e.Entry.Level == log.EntryLevelVerbose {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.complaints = append(w.complaints, e.Entry.Text)
}

func (w *window) do(actions ...chromedp.Action[chromedp.Void]) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.ctx, time.Minute)
	defer cancel()
	require.NoError(w.t, chromedp.Do(ctx, actions...))
}

func (w *window) open(addr string) {
	w.t.Helper()
	w.do(chromedp.Navigate(addr))
	w.until("true")
}

// press sends keys to the focused element: the tests use no mouse.
func (w *window) press(keys ...string) {
	w.t.Helper()
	for _, k := range keys {
		w.do(chromedp.KeyEvent(k))
	}
}

// submit presses keys, the last of which opens another page, and waits for that page.
func (w *window) submit(keys ...string) {
	w.t.Helper()
	_, err := chromedp.Run(w.ctx, chromedp.Evaluate[bool](`document.body.dataset.old = true`))
	require.NoError(w.t, err)
	w.press(keys...)
	w.until(`!document.body.dataset.old`)
}

// complete holds when a page has loaded and its autofocus field has the focus, which takes a moment longer: earlier
// keys would go to the page.
const complete = `document.readyState === "complete" &&
	(!document.querySelector("[autofocus]") || document.activeElement !== document.body)`

// until waits until an expression is true on a complete page.
func (w *window) until(expression string) {
	w.t.Helper()
	ok := assert.Eventually(w.t, func() bool {
		ctx, cancel := context.WithTimeout(w.ctx, 10*time.Second)
		defer cancel()
		v, err := chromedp.Run(ctx, chromedp.Evaluate[bool](complete+` && !!(`+expression+`)`))
		return err == nil && v
	}, time.Minute, 20*time.Millisecond)
	if !ok {
		text, _ := chromedp.Run(w.ctx, chromedp.Evaluate[string](`location.href + "\n" + document.body.innerText`))
		require.Fail(w.t, "never true: "+expression, text)
	}
}

func (w *window) reads(text string) {
	w.t.Helper()
	w.until(`document.body.innerText.replace(/\s+/g, " ").includes(` + strconv.Quote(text) + `)`)
}

// tabTo presses Tab until the element has the focus, which must be visible.
func (w *window) tabTo(css string) {
	w.t.Helper()
	for range 40 {
		w.press(kb.Tab)
		v, err := chromedp.Run(w.ctx, chromedp.Evaluate[string](`(e => !e.matches(`+strconv.Quote(css)+`) ? "other" :
			getComputedStyle(e).outlineStyle === "none" ? "the focus is invisible" : "here")(document.activeElement)`))
		require.NoError(w.t, err)
		if v == "here" {
			return
		}
		require.Equal(w.t, "other", v)
	}
	require.Fail(w.t, "Tab never reaches "+css)
}

// looks checks the layout at two widths, and saves screenshots if MERIDIAN_SCREENSHOTS names a folder.
func (w *window) looks(name string) {
	w.t.Helper()
	for _, width := range []int64{1280, 400} {
		w.do(chromedp.EmulateViewport(width, 900))
		w.until(fmt.Sprintf("innerWidth === %d", width))
		faults, err := chromedp.Run(w.ctx, chromedp.Evaluate[[]string](`[...document.querySelectorAll("body *")].filter(e => {
			const r = e.getBoundingClientRect();
			return r.width > 0 && (r.right > innerWidth + 1 || r.left < -1);
		}).map(e => "overflows: " + e.outerHTML.slice(0, 80)).concat(
			[...document.querySelectorAll("button, input:not([type=hidden]), .button, .about")]
				.filter(e => (e.closest("label") || e).getBoundingClientRect().height < 40)
				.map(e => "too small to hit: " + e.outerHTML.slice(0, 80)),
			document.querySelectorAll("h1").length === 1 ? [] : ["not one h1"],
			document.documentElement.scrollWidth > innerWidth ? ["scrolls sideways"] : [])`))
		require.NoError(w.t, err)
		assert.Empty(w.t, faults, "%s at %d", name, width)
		if dir := os.Getenv("MERIDIAN_SCREENSHOTS"); dir != "" {
			png, err := chromedp.Run(w.ctx, chromedp.FullScreenshot(100))
			require.NoError(w.t, err)
			require.NoError(w.t, os.WriteFile(filepath.Join(dir, fmt.Sprintf("%s-%d.png", name, width)), png, 0o600))
		}
	}
	w.do(chromedp.EmulateViewport(1280, 900))
}

// consumer is a service provider that shows what it received.
type consumer struct {
	*httptest.Server
	mu    sync.Mutex
	posts int
}

func (c *consumer) count() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.posts
}

func newConsumer(t *testing.T) *consumer {
	c := &consumer{}
	c.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c.mu.Lock()
		if r.Method == http.MethodPost {
			c.posts++
		}
		n := c.posts
		c.mu.Unlock()
		fmt.Fprintf(w, "<!DOCTYPE html><title>sp</title><p>%s %d, %d bytes, state %q</p>", r.Method, n,
			len(r.FormValue("SAMLResponse")), r.FormValue("RelayState"))
	}))
	t.Cleanup(c.Close)
	return c
}

func browserWorld(t *testing.T) (*mockidp.Server, *consumer) {
	t.Helper()
	sp := newConsumer(t)
	idp := start(t, mockidp.Config{
		Key: rsaKey(), BaseURL: "http://idp.localhost:0", Org: "Example Corp", MaxFailures: 3,
		Users: []mockidp.User{
			{Login: alice, FirstName: "Alice", LastName: "Example", Groups: []string{"Engineering"}},
			{Login: bob, FirstName: "Bob", LastName: "Sample", SecondFactor: "123456", Groups: []string{"Engineering"}},
			{Login: "carol@example.com", FirstName: "Carol", LastName: "Unassigned"},
		},
		Apps: []mockidp.App{
			{ID: "idc", Label: "Identity Center – N. Virginia (us-east-1)", Groups: []string{"Engineering"},
				DefaultRelayState: "tile",
				IdentityCenter: &mockidp.IdentityCenter{ACSURL: sp.URL +
					"/platform/saml/acs/4455422d84a27c9f-9f18-41fa-81b4-769660979b1e",
					ACSURLs: [17]string{frank}, IssuerURL: entityID},
				Attributes: []mockidp.Attribute{{Name: "https://aws.amazon.com/SAML/Attributes/AccessControl:CostCenter",
					Values: []string{"${user.costCenter}"}}},
				GroupAttribute: &mockidp.GroupAttribute{Filter: mockidp.StartsWith, Value: "Eng"}},
			{ID: "mark", Label: "Identity Center – Frankfurt (eu-central-1)", Kind: mockidp.Bookmark, URL: sp.URL + "/start",
				Groups: []string{"Engineering"}},
			{ID: "pay", Label: "Payroll", Groups: []string{"Engineering"}, Profile: mockidp.Entra,
				ACS: []mockidp.ACS{{URL: sp.URL + "/pay"}, {URL: sp.URL + "/pay-eu", Index: index(4), Default: true}}},
			{ID: "wiki", Label: "Wiki", Groups: []string{"Engineering"}, Audience: "https://wiki.example/saml",
				ACS: []mockidp.ACS{{URL: sp.URL + "/wiki"}}},
		},
	})
	return idp, sp
}

func TestPagesInChromium(t *testing.T) {
	chromium := chrome(t)
	t.Run("keyboard, without script", func(t *testing.T) { testKeyboard(t, chromium) })
	t.Run("second factor and lock", func(t *testing.T) { testFactorPages(t, chromium) })
	t.Run("post twice", func(t *testing.T) { testDuplicateInChromium(t, chromium) })
	t.Run("errors", func(t *testing.T) { testErrorPages(t, chromium) })
	t.Run("attack", func(t *testing.T) { testAttackChoice(t, chromium) })
}

func testKeyboard(t *testing.T, chromium context.Context) {
	idp, sp := browserWorld(t)
	w := openWindow(t, chromium, false)
	w.open(idp.DashboardURL())
	w.reads("Sign in")
	w.looks("signin")
	w.press(alice, kb.Tab, "wrong", kb.Enter)
	w.reads("Unable to sign in")
	w.looks("signin-wrong")
	w.press(mockidp.DefaultPassword, kb.Enter) // the username is still there, and the focus is on the password
	w.reads("My Apps")
	w.looks("dashboard")
	w.tabTo("input[type=search]")
	w.press("frank", kb.Enter)
	w.reads("1 of 4 apps")
	w.looks("dashboard-search")
	w.tabTo("main a.about")
	w.press(kb.Enter)
	w.reads("Bookmark")
	w.looks("app-bookmark")
	w.open(idp.AppURL("idc"))
	w.reads("AWS SSO ACS URL1")
	w.looks("app-identity-center")
	w.open(idp.AppURL("pay"))
	w.looks("app-entra")
	w.open(idp.DashboardURL() + "?q=nothing")
	w.reads("None of your apps")
	w.looks("dashboard-nothing")
	w.open(idp.DashboardURL())
	w.tabTo("a.tile")
	w.press(kb.Enter)
	w.reads("Signing in to Identity Center")
	w.looks("post")
	w.tabTo("form#answer button")
	w.press(kb.Enter)
	w.reads(`state "tile"`)
	assert.Equal(t, 1, sp.count())
	w.open(idp.DashboardURL())
	w.tabTo(".who button")
	w.press(kb.Enter)
	w.reads("You are signed out")
	w.looks("signed-out")
}

func testFactorPages(t *testing.T, chromium context.Context) {
	idp, sp := browserWorld(t)
	w := openWindow(t, chromium, true)
	updateApp(t, idp, "wiki", func(a *mockidp.App) { a.Audience = entityID })
	w.open(idp.SSOURL("wiki") + "?" + url.Values{"SAMLRequest": {deflated(request())}}.Encode())
	w.reads("to continue to Wiki")
	w.looks("signin-app")
	w.press(bob, kb.Tab, mockidp.DefaultPassword, kb.Enter)
	w.reads("Enter your code")
	w.looks("factor")
	w.press("000000", kb.Enter)
	w.reads("The code is wrong")
	w.looks("factor-wrong")
	w.press("123456", kb.Enter)
	w.reads("POST 1") // with script the form is submitted automatically
	assert.Equal(t, 1, sp.count())

	other := openWindow(t, chromium, false)
	other.open(idp.SignInURL())
	other.submit(alice, kb.Tab, "1", kb.Enter)
	other.reads("Unable to sign in")
	other.submit("2", kb.Enter)
	other.reads("Unable to sign in")
	other.submit("3", kb.Enter)
	other.reads("This account is locked")
	other.looks("signin-locked")
}

func testDuplicateInChromium(t *testing.T, chromium context.Context) {
	idp, sp := browserWorld(t)
	require.NoError(t, idp.Inject(mockidp.Fault{Kind: mockidp.DuplicatePost, App: "wiki"}))
	w := openWindow(t, chromium, true)
	require.NoError(t, idp.QueueUser(alice))
	w.open(idp.SSOURL("wiki"))
	w.reads("POST 2")
	assert.Equal(t, 2, sp.count())

	by := openWindow(t, chromium, false)
	require.NoError(t, idp.QueueUser(alice))
	by.open(idp.SSOURL("wiki"))
	by.looks("post-twice")
	by.tabTo("form#first button")
	by.press(kb.Enter)
	require.Eventually(t, func() bool { return sp.count() == 3 }, time.Minute, 20*time.Millisecond)
	by.tabTo("form#answer button")
	by.press(kb.Enter)
	by.reads("POST 4")
}

// A user picks an attack from the list, by keyboard and without script. It replaces this one answer.
func testAttackChoice(t *testing.T, chromium context.Context) {
	sp := newConsumer(t)
	idp := start(t, mockidp.Config{
		Key: rsaKey(), BaseURL: "http://idp.localhost:0", Mutations: []string{"A03/assertion", "B01"},
		Apps: []mockidp.App{{ID: "wiki", Label: "Wiki", Groups: []string{mockidp.Everyone}, Audience: entityID,
			ACS: []mockidp.ACS{{URL: sp.URL + "/wiki"}}}},
		Mutate: func(m mockidp.Mutation) (mockidp.Mutated, error) {
			if m.ID == "" {
				return mockidp.Mutated{}, nil
			}
			return mockidp.Mutated{Fields: []mockidp.Field{{Name: "SAMLResponse", Value: "PHgvPg=="},
				{Name: "RelayState", Value: m.ID}}}, nil
		},
	})
	w := openWindow(t, chromium, false)
	signIn := func(keys ...string) {
		w.open(idp.SSOURL("wiki"))
		w.reads("Attack instead")
		w.press(mockidp.DefaultLogin, kb.Tab, mockidp.DefaultPassword, kb.Tab)
		w.press(keys...)
		w.reads("Signing in to Wiki")
		w.tabTo("form#answer button")
		w.press(kb.Enter)
	}
	w.open(idp.SSOURL("wiki"))
	w.looks("signin-attack")
	signIn(kb.ArrowDown, kb.ArrowDown, kb.Tab, kb.Enter)
	w.reads(`POST 1, 8 bytes, state "B01"`)
	w.open(idp.DashboardURL())
	w.tabTo(".who button")
	w.press(kb.Enter)
	w.reads("You are signed out")
	signIn(kb.Tab, kb.Enter)
	w.reads("POST 2")
	w.reads(`state ""`)
}

func testErrorPages(t *testing.T, chromium context.Context) {
	idp, _ := browserWorld(t)
	w := openWindow(t, chromium, true)
	require.NoError(t, idp.QueueUser("carol@example.com"))
	w.open(idp.DashboardURL())
	w.reads("No apps are assigned")
	w.looks("dashboard-empty")
	w.open(idp.SSOURL("wiki"))
	w.reads("You don't have access")
	w.looks("error-unassigned")
	updateApp(t, idp, "pay", func(a *mockidp.App) { a.Audience = entityID })
	w.open(idp.SSOURL("pay") + "?SAMLRequest=" +
		url.QueryEscape(deflated(request(attr("AssertionConsumerServiceURL", elsewhere)))))
	w.reads("AADSTS50011")
	w.looks("error-entra")
}
