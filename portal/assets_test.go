package portal_test

import (
	"net/http"
	"regexp"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs/theme"
	"github.com/meridian-saml/meridian/portal"
)

var assetAddress = regexp.MustCompile(`/static/[a-z]+-[0-9a-f]{16}\.[a-z]+`)

// A browser keeps an asset for a year, because its name has a hash. Nodes of different versions serve each other's
// names, for a short time.
func TestAssetsHaveAHash(t *testing.T) {
	logo := []byte(`<svg xmlns="http://www.w3.org/2000/svg"/>`)
	w := newWorld(t, func(c *portal.Config) {
		c.Theme = theme.Config{Logo: logo, Colors: theme.Colors{Accent: "#7a1f5c"}}
	})
	b := w.browser()
	a := w.signIn(b, "https://"+virginia+"/", "alice@example.com")
	addresses := assetAddress.FindAllString(a.body, -1)
	require.Len(t, addresses, 3, "style sheet, script and logo")
	kinds := map[string]bool{}
	for _, address := range addresses {
		one := b.click("https://" + virginia + address)
		require.Equal(t, http.StatusOK, one.StatusCode, address)
		assert.Contains(t, one.Header.Get("Cache-Control"), "immutable")
		assert.Contains(t, one.Header.Get("Content-Security-Policy"), "sandbox", "a logo is no page")
		kinds[one.Header.Get("Content-Type")] = true
		other := b.click("https://" + virginia + regexp.MustCompile(`-[0-9a-f]+`).ReplaceAllString(address, "-0123456789abcdef"))
		assert.Equal(t, one.body, other.body)
		assert.Equal(t, "public, max-age=300", other.Header.Get("Cache-Control"))
	}
	assert.Equal(t, map[string]bool{"text/css; charset=utf-8": true, "text/javascript; charset=utf-8": true,
		"image/svg+xml": true}, kinds)
	assert.Contains(t, b.click("https://"+virginia+addresses[0]).body, "--accent:#7a1f5c")
	for _, path := range []string{"/static/portal", "/static/portal-1.png", "/static/icon-1.svg",
		"/static/-.css", "/static/."} {
		assert.Equal(t, http.StatusNotFound, b.click("https://"+virginia+path).StatusCode, path)
	}
}

// The policy allows scripts of the portal's origin, so no answer that isn't the script may be taken for one.
func TestNoOtherAnswerIsAScript(t *testing.T) {
	w := newWorld(t, nil)
	b := w.browser()
	look := func() {
		for _, path := range []string{"/", "/applications", "/accounts/1/x", "/login", "/metadata", "/sessions",
			"/sessions/end", "/sessions/end-all", "/operator", "/health", "/continue", "/enter", "/handoff", "/refused",
			"/signed-out", "/sign-out", "/sign-out/idp", "/client", "/device", "/nope", acsPath, "/static/icon.svg",
			"/static/nope"} {
			a := b.send("GET", "https://"+virginia+path, "same-origin", nil)
			assert.Equal(t, "nosniff", a.Header.Get("X-Content-Type-Options"), path)
			assert.NotContains(t, a.Header.Get("Content-Type"), "javascript", path)
			csp := a.Header.Get("Content-Security-Policy")
			if csp != "" {
				assert.Contains(t, csp, "default-src 'none'", path)
				assert.NotRegexp(t, `script-src [^;]*(unsafe|https?:|data:|blob:|\*)`, csp, path)
			}
		}
	}
	look()
	w.signIn(b, "https://"+virginia+"/", "alice@example.com")
	look()
}
