package browser_test

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/acs/theme"
	"github.com/meridian-saml/meridian/portal"
	"github.com/meridian-saml/meridian/portal/center"
	"github.com/meridian-saml/meridian/portal/failover"
	"github.com/meridian-saml/meridian/saml"
)

// testAuditSamples visits every page: those of the portal, with the samples that every template has, those that
// packages acs, middleware and oidc show as an acs.Page, the form to the identity provider, and those of package
// failover. No page has a violation, or scrolls sideways, in two widths, light and dark, English and the
// pseudo-locale. On the first sample of a page Tab reaches every control.
func testAuditSamples(t *testing.T, chromium context.Context) {
	cfg := theme.Config{Name: "Example & Sons", Support: "https://help.example/", Notice: "A notice", Texts: pseudoCatalog(t)}
	look, err := theme.New(cfg)
	require.NoError(t, err)
	var preview http.Handler
	w := newWorldOf(t, nil, func(string, *center.Data) {}, func(c *portal.Config) {
		c.Theme = cfg
		c.Credentials = nil
		p, err := portal.New(*c)
		require.NoError(t, err)
		preview = p.Preview()
	})
	mux := http.NewServeMux()
	mux.Handle("/", preview)
	mux.Handle("/begin/", staying(preview.ServeHTTP))
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)

	b := openTab(t, chromium)
	b.open(server.URL + "/")
	pages := onPage[[]string](b, `[...document.links].map(a => a.pathname)`)
	require.Greater(t, len(pages), 30)
	for name, show := range otherPages(t, w, look, cfg) {
		mux.HandleFunc("GET /pages/"+name+"/{$}", show)
		pages = append(pages, "/pages/"+name+"/")
	}
	slices.Sort(pages)
	last := ""
	for _, page := range pages {
		name := strings.Split(strings.Trim(strings.TrimPrefix(page, "/pages"), "/"), "/")[0]
		b.visitSample(server.URL+page, name != last)
		last = name
	}
}

// visitSample checks a page in all eight ways. The rules that aren't about colors are checked in light pages only.
func (b *tab) visitSample(addr string, first bool) {
	b.t.Helper()
	for _, language := range []string{"en", pseudo} {
		b.accepts(language)
		b.scheme("light")
		b.open(addr)
		b.until(`document.documentElement.lang === ` + jsString(language))
		b.do(chromedp.Evaluate[chromedp.Void](`for (const d of document.querySelectorAll("main details")) d.open = true;
			for (const p of document.querySelectorAll("pre:empty")) p.textContent = "{}"`)) // samples can lack a text
		for _, width := range widths {
			b.size(width, 900)
			b.until("innerWidth === " + strconv.FormatInt(width, 10))
			for _, scheme := range []string{"light", "dark"} {
				b.scheme(scheme)
				name := fmt.Sprintf("%s, %s, %s at %d pixels", strings.SplitN(addr, "/", 4)[3], language, scheme, width)
				found := b.violations
				if scheme == "dark" {
					found = func() []string { return b.violationsOf(`"cat.color"`) }
				}
				assert.Empty(b.t, found(), name)
				b.picture(strings.NewReplacer("/", "-", ", ", "-", " ", "-").Replace(name))
			}
		}
		if first && language == pseudo {
			b.tabsThrough(addr)
		}
	}
}

// controlsJS marks the controls that Tab must reach, and returns how many there are. A group of radio buttons is one.
const controlsJS = `[...document.querySelectorAll("a[href], button, input:not([type=hidden]), select, textarea, summary")]
	.filter(e => e.checkVisibility() && !e.disabled && e.tabIndex >= 0 && (e.type !== "radio" || e.checked ||
		!e.name || e === document.querySelector("input[type=radio][name=" + CSS.escape(e.name) + "]") &&
		!document.querySelector("input[type=radio][name=" + CSS.escape(e.name) + "]:checked")))
	.map((e, i) => e.dataset.control = i).length`

// tabsThrough presses Tab until every control of the open page had the focus, which must be visible.
func (b *tab) tabsThrough(name string) {
	b.t.Helper()
	controls := onPage[int](b, controlsJS)
	reached := map[string]bool{}
	for range controls + 5 {
		b.press(kb.Tab)
		f := onPage[focus](b, focusJS)
		if f.Text != "" {
			assert.True(b.t, f.Visible && f.OnScreen, "%s: the focus on %q: %+v", name, f.Text, f)
		}
		reached[onPage[string](b, `document.activeElement.dataset.control ?? ""`)] = true
		delete(reached, "")
		if len(reached) == controls {
			return
		}
	}
	missed := onPage[string](b, `[...document.querySelectorAll("[data-control]")].filter(e => !`+
		jsList(reached)+`.includes(e.dataset.control)).map(e => e.outerHTML.slice(0, 200)).join("\n")`)
	assert.Equal(b.t, controls, len(reached), "%s: controls that Tab reaches: not %s", name, missed)
}

func jsList(of map[string]bool) string {
	var out []string
	for s := range of {
		out = append(out, jsString(s))
	}
	return "[" + strings.Join(out, ",") + "]"
}

// otherPages are the pages that aren't the portal's.
func otherPages(t *testing.T, w *world, look *theme.Theme, cfg theme.Config) map[string]http.HandlerFunc {
	t.Helper()
	out := map[string]http.HandlerFunc{}
	form := acs.PageForm{Action: "/continue", Buttons: []acs.PageButton{{Name: "answer", Value: "stay", Text: "Send it"},
		{Name: "answer", Value: "go", Text: "Don't send it"}}}
	for name, page := range map[string]acs.Page{
		"error": {Kind: acs.PageError, Title: "Sign-in did not work", Text: "Please try again in a minute.",
			Reference: "MRD-0000-0000", Link: "/login", LinkText: "Sign in again"},
		"error-alone": {Kind: acs.PageError, Title: "Sign-in did not work", Text: "Please try again in a minute."},
		"signed-out": {Kind: acs.PageSignedOut, Title: "You are signed out here", Form: &acs.PageForm{Action: "/out",
			Buttons: []acs.PageButton{{Text: "Sign out"}}}, Link: "/", LinkText: "Sign in"},
		"question": {Kind: acs.PageQuestion, Title: "Send your form again?", Form: &form},
		"question-users": {Kind: acs.PageQuestion, Title: "Continue?", Form: &form,
			Users: &acs.PageUsers{Now: "alice@example.com", Next: strings.Repeat("bob", 20) + "@example.com"}},
		"attributes": {Kind: acs.PageAttributes, Title: "Information about you is missing", Reference: "MRD-0000-0000",
			Link: "/login", LinkText: "Sign in again", Attributes: &acs.Attributes{
				Missing: true, IdP: "Example", Help: "https://idp.example/help", HelpHost: "idp.example",
				Names:   []saml.AttributeName{{Name: "urn:oid:0.9.2342.19200300.100.1.3", FriendlyName: "mail"}},
				Contact: &acs.Contact{Email: "help@idp.example", Mail: "mailto:help@idp.example", Telephone: "+1 555"},
				Support: &acs.Contact{Name: "Help desk", Telephone: "+1 555"},
			}},
	} {
		page.Status = http.StatusOK
		out[name] = func(w http.ResponseWriter, r *http.Request) { look.RenderPage(w, r, page) }
	}
	rd, err := failover.New(failover.Config{
		Regions: []failover.Region{{Name: virginia, URL: "https://portal.example"}}, Theme: cfg,
	})
	require.NoError(t, err)
	out["failover-unavailable"] = rd.ServeHTTP
	out["failover-method"] = func(w http.ResponseWriter, r *http.Request) {
		r = r.Clone(r.Context())
		r.Method = http.MethodPost
		rd.ServeHTTP(w, r)
	}
	region, err := acs.NewRegion(acs.Config{
		SP: w.sp, Region: virginia, Store: acs.NewMemoryStore(acs.MemoryConfig{}), PageLook: look.PageLook,
		OnLogin: func(http.ResponseWriter, *http.Request, *acs.Login) {},
	})
	require.NoError(t, err)
	out["post"] = staying(func(w http.ResponseWriter, r *http.Request) {
		region.StartLogin(w, r, acs.LoginOptions{Binding: saml.HTTPPost})
	})
	return out
}

var leaves = regexp.MustCompile(`(?s)<script.*?</script>|<meta http-equiv="refresh".*?>`)

// staying takes from a page what leads away from it at once.
func staying(h http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		rec := httptest.NewRecorder()
		h(rec, r)
		maps.Copy(w.Header(), rec.Header())
		w.WriteHeader(rec.Code)
		_, _ = w.Write(leaves.ReplaceAll(rec.Body.Bytes(), nil))
	}
}
