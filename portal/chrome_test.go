package portal_test

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/acs/sessions"
	"github.com/meridian-saml/meridian/mockidp"
	"github.com/meridian-saml/meridian/mockidp/testkit"
	"github.com/meridian-saml/meridian/portal"
	"github.com/meridian-saml/meridian/portal/center"
	"github.com/meridian-saml/meridian/saml"
)

const (
	patience = 60 * time.Second // long enough for a busy machine
	tick     = 15 * time.Millisecond
)

// site is an identity provider and two Regions on loopback, for a real browser, which resolves
// *.localhost by itself. Frankfurt's portal and consumer have different hosts.
type site struct {
	idp     *mockidp.Server
	portals map[string]string // keyed by Region; no trailing slash
	peers   map[string]*heard // each Region's Replication
	hosts   map[string]http.Handler
}

// newSite starts a site. edit changes each portal's Config, and around wraps each portal, if they
// are not nil.
func newSite(t *testing.T, edit func(*portal.Config), around func(http.Handler) http.Handler) *site {
	t.Helper()
	s := &site{portals: map[string]string{}, peers: map[string]*heard{"us-east-1": {}, "eu-central-1": {}},
		hosts: map[string]http.Handler{}}
	servers, consumers := map[string]*httptest.Server{}, map[string]string{}
	for region, hosts := range map[string][2]string{"us-east-1": {"us-east-1", "us-east-1"},
		"eu-central-1": {"eu-central-1", "signin-eu-central-1"}} {
		server := httptest.NewUnstartedServer(nil)
		_, port, err := net.SplitHostPort(server.Listener.Addr().String())
		require.NoError(t, err)
		servers[region] = server
		s.portals[region] = "http://" + hosts[0] + ".localhost:" + port
		consumers[region] = "http://" + hosts[1] + ".localhost:" + port + acsPath
	}
	s.idp = mockidp.New(mockidp.Config{BaseURL: "http://idp.localhost:0",
		Users: []mockidp.User{{Login: "alice@example.com", Password: "open-sesame"}}})
	t.Cleanup(s.idp.Close)
	md, err := saml.ParseIdPMetadata(s.idp.Metadata(""))
	require.NoError(t, err)
	sp, err := saml.New(saml.Config{
		EntityID: s.portals["us-east-1"] + "/platform/saml/d-9067f1a2b3", IdP: md,
		ACS: []saml.Endpoint{{URL: consumers["us-east-1"], Region: "us-east-1"},
			{URL: consumers["eu-central-1"], Region: "eu-central-1"}},
	})
	require.NoError(t, err)
	metadata, err := sp.Metadata()
	require.NoError(t, err)
	require.NoError(t, s.idp.RegisterSP("", metadata))
	d := data()
	for i, r := range d.Regions {
		d.Regions[i].PortalURLs, d.Regions[i].ACSURLs = []string{s.portals[r.Name]}, []string{consumers[r.Name]}
	}
	d.Regions = append(d.Regions, center.Region{Name: "ap-northeast-1", Label: "Tokyo", Status: center.RegionAdding})
	inst, err := center.New(d)
	require.NoError(t, err)
	all, codes := sessions.NewMemoryStore(sessions.MemoryConfig{}), portal.NewCodes(acs.NewMemoryStore(acs.MemoryConfig{}))
	for region, server := range servers {
		view, err := inst.In(region)
		require.NoError(t, err)
		cfg := portal.Config{
			Region: region, SP: sp, Directory: view, Store: acs.NewMemoryStore(acs.MemoryConfig{}), Sessions: all,
			Codes: codes, Replication: s.peers[region],
			Operator: func(u center.User) bool { return u.UserName == "alice@example.com" },
			Logger:   slog.New(slog.NewTextHandler(io.Discard, nil)),
		}
		if edit != nil {
			edit(&cfg)
		}
		p, err := portal.New(cfg)
		require.NoError(t, err)
		server.Config.Handler = p
		if around != nil {
			server.Config.Handler = around(p)
		}
		for _, raw := range []string{s.portals[region], consumers[region]} {
			u, err := url.Parse(raw)
			require.NoError(t, err)
			s.hosts[u.Host] = server.Config.Handler
		}
		server.Start()
		t.Cleanup(server.Close)
	}
	return s
}

// tab is a tab of a real browser.
type tab struct {
	t   *testing.T
	ctx context.Context
}

// newTab starts a browser.
func newTab(t *testing.T) *tab {
	t.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(testkit.RequireChromium(t)),
		chromedp.NoSandbox, // root has none
		chromedp.DisableGPU, chromedp.Flag("disable-component-update", true), chromedp.Flag("no-proxy-server", true))
	allocator, stop := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(stop)
	ctx, cancel := chromedp.NewContext(allocator)
	t.Cleanup(cancel)
	require.NoError(t, chromedp.Do(ctx), "start of Chromium")
	return &tab{t, ctx}
}

// another opens a second tab of the same browser.
func (b *tab) another() *tab {
	ctx, cancel := chromedp.NewContext(b.ctx)
	b.t.Cleanup(cancel)
	require.NoError(b.t, chromedp.Do(ctx)) // a timeout here would close the tab
	return &tab{b.t, ctx}
}

func (b *tab) do(actions ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	require.NoError(b.t, chromedp.Do(ctx, actions...))
}

func (b *tab) open(addr string) { b.t.Helper(); b.do(chromedp.Navigate(addr)) }

func (b *tab) click(css string) {
	b.t.Helper()
	b.do(chromedp.Click(chromedp.CSS(css), chromedp.NodeVisible))
}

// menu opens the user's menu and clicks an entry.
func (b *tab) menu(css string) { b.t.Helper(); b.click(".who summary"); b.click(".who " + css) }

// until waits for an expression to be true on a complete page.
func (b *tab) until(expression string) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	for {
		if ok, err := chromedp.Run(ctx,
			chromedp.Evaluate[bool](`document.readyState === "complete" && !!(`+expression+`)`)); err == nil && ok {
			return
		}
		select {
		case <-ctx.Done():
			where, _ := chromedp.Run(b.ctx, chromedp.Evaluate[string](`location.href + "\n" + document.body.innerText`))
			require.Fail(b.t, "never true: "+expression, where)
		case <-ticker.C:
		}
	}
}

func (b *tab) at(addr string) { b.t.Helper(); b.until("location.href === " + js(addr)) }

func (b *tab) reads(texts ...string) {
	b.t.Helper()
	for _, text := range texts {
		b.until(`document.body.innerText.replace(/\s+/g, " ").includes(` + js(text) + `)`)
	}
}

func js(s string) string {
	b, err := json.Marshal(s)
	if err != nil {
		panic(err) // a string can always be encoded
	}
	return string(b)
}

// fits checks that the page doesn't scroll sideways at the widths of a desktop and a phone. It
// saves screenshots if MERIDIAN_SCREENSHOTS names a folder.
func (b *tab) fits(name string) {
	b.t.Helper()
	for _, width := range []int64{400, 1280} {
		b.do(chromedp.EmulateViewport(width, 900))
		b.until("innerWidth === " + strconv.FormatInt(width, 10))
		got, err := chromedp.Run(b.ctx, chromedp.Evaluate[int64]("document.documentElement.scrollWidth"))
		require.NoError(b.t, err)
		assert.LessOrEqual(b.t, got, width, "%s scrolls sideways", name)
		if folder := os.Getenv("MERIDIAN_SCREENSHOTS"); folder != "" {
			png, err := chromedp.Run(b.ctx, chromedp.FullScreenshot(100))
			require.NoError(b.t, err)
			require.NoError(b.t, os.WriteFile(filepath.Join(folder, name+"-"+strconv.FormatInt(width, 10)+".png"), png, 0o644))
		}
	}
}

// TestRealBrowser signs in once, goes to the other Region without a new sign-in, visits the pages,
// and signs out of both at once.
func TestRealBrowser(t *testing.T) {
	s, b := newSite(t, nil, nil), newTab(t)
	now := time.Now()
	tokyo := portal.Peer{Region: "ap-northeast-1", State: portal.PeerReplicating, Done: 640, Total: 1000, Heard: now}
	s.peers["us-east-1"].set(tokyo,
		portal.Peer{Region: "eu-central-1", State: portal.PeerReplicated, Heard: now, Lag: 3 * time.Millisecond,
			MaxLag: 41 * time.Millisecond})
	s.peers["eu-central-1"].set(tokyo, portal.Peer{Region: "us-east-1", State: portal.PeerReplicated, Heard: now})

	b.open(s.portals["us-east-1"] + "/")
	b.until(`document.activeElement.id === "username"`)
	b.do(chromedp.KeyEvent("alice@example.com" + kb.Tab + "open-sesame" + kb.Enter))
	b.at(s.portals["us-east-1"] + "/")
	b.reads("Alice Adams", "Production", "Data as of")
	b.fits("home")

	// The other Region's portal is on another host than its consumer. Its session is handed off from here too.
	s.idp.Close()
	b.click(`.regions a[href*="from="]`)
	b.at(s.portals["eu-central-1"] + "/")
	b.reads("Alice Adams", "Data from us-east-1 as of")
	s.peers["eu-central-1"].set(tokyo,
		portal.Peer{Region: "us-east-1", State: portal.PeerUnreachable, Heard: now.Add(-4 * time.Minute),
			Lag: 4 * time.Millisecond, MaxLag: time.Second})
	b.open(s.portals["eu-central-1"] + "/")
	b.reads("Alice Adams", "us-east-1 (N. Virginia) can't be reached from here", "provisioned before still works")
	b.fits("home-unreachable-peer")

	b.menu(`a[href="/sessions"]`)
	b.reads("Your sessions", "This session", "N. Virginia", "Sign out everywhere")
	b.fits("sessions")

	b.menu(`a[href="/operator"]`)
	b.reads("Regions of this instance", "640 of 1,000", "Lost since", "4 min ago", "View ACS URLs",
		"View access portal URLs")
	b.fits("operator")
	b.click(`details.list:nth-of-type(1) summary`)
	b.until(`document.getElementById("all-acs").checkVisibility()`)
	b.fits("operator-acs")
	b.click(`details.list:nth-of-type(1) summary`)
	b.click(`details.list:nth-of-type(4) summary`)
	b.reads("Workforce identities", "Not available", "You are here")
	b.fits("operator-tasks")
	b.click(`details.list:nth-of-type(4) summary`)
	b.do(chromedp.Focus(`#q`), chromedp.KeyEvent("absent"+kb.Enter))
	b.reads("No person has this name", "5 people were searched")
	b.look("people-none")
	b.do(chromedp.Focus(`#q`), chromedp.KeyEvent(kb.End+"\b\b\b\b\b\bali"+kb.Enter))
	b.reads("Alice Adams alice@example.com")
	b.look("people")
	b.do(chromedp.Focus(`.rows a`), chromedp.KeyEvent(kb.Enter))
	b.reads("Sessions in all Regions", "N. Virginia", "This session", "Developers")
	b.do(chromedp.Evaluate[chromedp.Void](`for (const d of document.querySelectorAll("main details")) d.open = true`))
	b.look("person")
	b.do(chromedp.Focus(`.rows .button`), chromedp.KeyEvent(kb.Enter))
	b.reads("End this session?", "is signed out of these sessions")
	b.look("person-end")

	b.open(s.portals["eu-central-1"] + "/sign-outs")
	b.reads("Not found", "Alice Adams")
	b.fits("not-found")
	b.menu(`form[action="/sign-out"] button`)
	b.at(s.portals["eu-central-1"] + "/signed-out")
	b.open(s.portals["us-east-1"] + "/signed-out")
	b.reads("You are signed out") // a signed-in user would be redirected home
}

var _ http.Handler = (*portal.Portal)(nil)
