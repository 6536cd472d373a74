package portal_test

import (
	"log/slog"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/portal"
)

// FuzzReturnTo checks that a sign-in ends at the portal that was opened, whatever return path a
// link has.
func FuzzReturnTo(f *testing.F) {
	for _, s := range []string{
		"/", "/applications", "//evil.example", `/\evil.example`, "/%5c/evil.example", "https://evil.example",
		"/.//evil.example", "/..//evil.example",
		"/%2f%2fevil.example", "/\t/evil.example", "javascript:alert(1)", "/a?b=//c", "/;//evil.example", "/%00", "/é",
		"/" + strings.Repeat("a", 2000),
	} {
		f.Add(s)
	}
	var w *world
	n := 0
	f.Fuzz(func(t *testing.T, to string) {
		if n++; w == nil || n%60 == 0 {
			w, _ = newShared(t, func(c *portal.Config) { c.Logger = slog.New(slog.DiscardHandler) })
			first := w.browser()
			w.signIn(first, "https://"+virginia+"/", "alice@example.com")
			w.seed = first.Jar[virginia]
		}
		b := newBrowser(t, w.hosts)
		b.Jar[virginia] = w.seed
		w.clock.Advance(7 * time.Second) // a foreign page gets 10 codes a minute, and a sign-in 64 sessions
		enter := toEnter(t, b, "https://"+frankfurt+"/login?from=us-east-1&return_to="+url.QueryEscape(to))
		loc := b.send("GET", enter.String(), "cross-site", nil).Header.Get("Location")
		require.NotEmpty(t, b.cookie(frankfurt, portal.SessionCookie))
		require.True(t, strings.HasPrefix(loc, "/"), loc)
		require.False(t, strings.HasPrefix(loc, "//"), loc)
		require.NotContains(t, loc, `\`)
		u, err := enter.Parse(loc)
		require.NoError(t, err)
		require.Equal(t, frankfurt, u.Host)
	})
}
