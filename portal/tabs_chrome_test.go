package portal_test

import (
	"sync"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs/sessions"
	"github.com/meridian-saml/meridian/portal"
)

// A real browser opens twelve tabs at once, as when it restores them. The user has a session at the
// identity provider, so each tab signs in without a click.
func TestTwelveTabsAtOnceInARealBrowser(t *testing.T) {
	var all *sessions.MemoryStore
	s := newSite(t, func(c *portal.Config) { all = c.Sessions.(*sessions.MemoryStore) }, nil)
	first := newTab(t)
	virginia := s.portals["us-east-1"]
	first.open(virginia + "/")
	first.until(`document.activeElement.id === "username"`)
	first.do(chromedp.KeyEvent("alice@example.com" + kb.Tab + "open-sesame" + kb.Enter))
	first.at(virginia + "/")
	first.menu(`form[action="/sign-out"] button`)
	first.at(virginia + "/signed-out")
	require.Zero(t, all.Len())

	var tabs []*tab
	for range 12 {
		tabs = append(tabs, first.another())
	}
	var opened sync.WaitGroup
	for _, b := range tabs {
		opened.Go(func() {
			_, _ = chromedp.Run(b.ctx, chromedp.Evaluate[any](`void (location.href = `+js(virginia+"/")+`)`))
		})
	}
	opened.Wait()
	for _, b := range tabs {
		b.at(virginia + "/")
		b.reads("Alice Adams", "Production")
	}
	require.Equal(t, 1, all.Len())
}
