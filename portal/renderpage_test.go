package portal_test

import (
	"net/http"
	"net/url"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/portal"
)

// A program's RenderPage writes the questions, refusals and sign-out of the portal and of its consumers.
func TestRenderPage(t *testing.T) {
	var mu sync.Mutex
	var pages []acs.Page
	own := func(c *portal.Config) {
		c.RenderPage = func(w http.ResponseWriter, r *http.Request, p acs.Page) {
			mu.Lock()
			defer mu.Unlock()
			pages = append(pages, p)
			acs.WritePage(w, r, p)
		}
	}
	last := func() acs.Page {
		mu.Lock()
		defer mu.Unlock()
		return pages[len(pages)-1]
	}
	w := newWorld(t, own)
	b := w.browser()
	requirePage(t, w.signIn(b, "https://"+virginia+"/", "bob@example.com"), 200, "/", "Admin") // the portal's own design
	require.Empty(t, pages)

	w.tile(b, "alice@example.com", "")
	p := last()
	require.Equal(t, acs.PageQuestion, p.Kind)
	require.Equal(t, "Continue as Alice Adams?", p.Title)
	i := slices.IndexFunc(p.Form.Fields, func(f acs.PageField) bool { return f.Name == "s" })
	requirePage(t, b.submit("https://"+virginia+p.Form.Action, say(p.Form.Fields[i].Value, "continue")), 200, "/",
		"Alice Adams")

	require.Equal(t, 200, b.submit("https://"+virginia+"/sign-out", url.Values{}).StatusCode)
	p = last()
	require.Equal(t, acs.PageSignedOut, p.Kind)
	require.Contains(t, p.Text, "Your session in this portal has ended.")
	require.Equal(t, "/login", p.Link)

	require.Equal(t, 403, b.click("https://"+virginia+"/continue?s=none").StatusCode)
	p = last()
	require.Equal(t, acs.PageError, p.Kind)
	require.NotEmpty(t, p.Reference)
	require.Equal(t, 405, b.click("https://"+virginia+"/platform/saml/acs/4455").StatusCode)
	require.Equal(t, "This is not a sign-in response", last().Title)
}
