package acs_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs"
)

var listed = []string{"https://wiki.example", "https://Docs.example:443/", "http://localhost:8080", "https://[2001:db8::1]:8443"}

var allowedPlaces = []string{
	"/", "/a", "/a/b?c=d&e=%0d%0a#f", "/a?next=https://evil.example", "/a//b", "/~x/.well-known", "/a%2Fb",
	"/" + strings.Repeat("a", 2047),
	"https://wiki.example", "https://wiki.example/", "https://wiki.example/page?x=1#y", "https://wiki.example?x", "https://wiki.example#x",
	"https://docs.example/x", "http://localhost:8080/", "https://[2001:db8::1]:8443/x",
}

// openRedirects are the attempts of D44 and what comes near them.
var openRedirects = []string{
	"https://evil.example", "http://evil.example/", "//evil.example", "///evil.example", "////evil.example", "/\\evil.example", "\\\\evil.example",
	"\\evil.example", "/\t/evil.example", "/\n/evil.example", "\t//evil.example", " //evil.example", "//evil.example ", " /a", "/a ", "/a b",
	"javascript:alert(1)", "JavaScript:alert(1)", "data:text/html,x", "java\nscript:alert(1)", "vbscript:x", "mailto:a@b", "/a\r\nSet-Cookie: x=y", "/a\x00", "/a\x7f",
	"/%2Fevil.example", "/%2f%2fevil.example", "/%5Cevil.example", "/%5cevil.example", "/%09/evil.example", "/%0a/evil.example", "/%00",
	"/.//evil.example", "/..//evil.example", "/a/..//evil.example", "/a/../..//evil.example", "/%2e//evil.example", "/a/%2E%2e//evil.example", "/.", "/..",
	"evil.example", "a", "./a", "../a", "?a", "#a", "", "/%zz", ":", "://", "https:", "https:/evil.example", "https:evil.example", "https:///evil.example",
	"https://wiki.example.evil.example/", "https://wiki.example@evil.example/", "https://user@wiki.example/", "https://wiki.example:pw@evil.example", "https://evil.example/https://wiki.example",
	"https://wiki.example\\@evil.example", "https://wiki.example%2eevil.example", "https://wiki.example:8443/", "https://wiki.example:443/", "http://wiki.example/", "HTTPS://wiki.example/", "https://WIKI.example/",
	"https://wiki.example./", "https://wiki.example//evil.example", "https://wiki.example/%2Fevil.example", "https://wiki%2eexample/", "https://wiki.examplе/", "https://wiki.example/\\evil", "https://localhost:8080/", "http://localhost:80800/", "http://localhost/",
	"/é", "/\u202e", "/\u0085", "／／evil.example", "https:／／wiki.example", "/" + strings.Repeat("a", 2048),
}

func TestInvariant11_D44_Places(t *testing.T) {
	for _, raw := range allowedPlaces {
		got, err := acs.Allow(listed, raw)
		require.NoError(t, err)
		require.Equal(t, raw, got)
	}
	for _, raw := range openRedirects {
		got, err := acs.Allow(listed, raw)
		require.NoError(t, err)
		require.Empty(t, got, "%q", raw)
	}
	for _, raw := range []string{"https://wiki.example/", "http://localhost:8080/"} {
		got, err := acs.Allow(nil, raw)
		require.NoError(t, err)
		require.Empty(t, got, "nothing is listed")
	}
}

// The same through the consumer, for both flows: never an error, never a place.
func TestInvariant11_D44_RelayStateAndReturnTo(t *testing.T) {
	w := newWorld(t)
	us := w.region("us-east-1", accept, func(c *acs.Config) { c.RelayStateOrigins = listed })
	for _, raw := range openRedirects {
		l := w.accepted(w.browser().answer(us, w.good(usACS, ""), raw))
		require.True(t, l.Unsolicited)
		require.Empty(t, l.ReturnTo, "%q", raw)
	}
	for _, raw := range append(openRedirects[:10:10], "https://wiki.example:8443/") {
		b := w.browser()
		req := b.login(us, usACS, "?return_to="+url.QueryEscape(raw))
		require.Empty(t, w.accepted(b.answer(us, w.good(usACS, req.id), req.relayState)).ReturnTo, "%q", raw)
	}
	for _, raw := range []string{"/a?b=c", "https://wiki.example/page"} {
		require.Equal(t, raw, w.accepted(w.browser().answer(us, w.good(usACS, ""), raw)).ReturnTo)
		b := w.browser()
		req := b.login(us, usACS, "?return_to="+url.QueryEscape(raw))
		require.NotContains(t, req.relayState, "/", "it is opaque")
		require.LessOrEqual(t, len(req.relayState), 80)
		require.Equal(t, raw, w.accepted(b.answer(us, w.good(usACS, req.id), req.relayState)).ReturnTo)
	}
}

// A RelayState of a solicited answer is a key, never a place.
func TestInvariant11_SolicitedRelayStateIsNoPlace(t *testing.T) {
	w := newWorld(t)
	us, b := w.region("us-east-1"), w.browser()
	req := b.login(us, usACS, "")
	require.Empty(t, w.accepted(b.answer(us, w.good(usACS, req.id), req.relayState)).ReturnTo)
}

func TestOriginsAreChecked(t *testing.T) {
	for _, bad := range []string{
		"", "wiki.example", "https://", "https://wiki.example/path", "https://wiki.example?x", "https://wiki.example#x", "https://u@wiki.example",
		"http://wiki.example", "ftp://wiki.example", "https://wiki example", "https://wiki.example\\x", "*", "https://wiki%2eexample", "https://wikié.example",
	} {
		_, err := acs.Allow([]string{bad}, "/")
		require.Error(t, err, "%q", bad)
	}
	w := newWorld(t)
	cfg := w.regionConfig("us-east-1")
	cfg.RelayStateOrigins = []string{"http://wiki.example"}
	_, err := acs.NewRegion(cfg)
	wantConfigError(t, err, "RelayStateOrigins")
}

// FuzzAllow: whatever is allowed leads, by the way that addresses are
// resolved, to our origin or a listed one; and it holds nothing that another
// program could resolve in another way.
func FuzzAllow(f *testing.F) {
	for _, raw := range append(allowedPlaces, openRedirects...) {
		f.Add(raw)
	}
	base := &url.URL{Scheme: "https", Host: "sp.example", Path: "/x"}
	origins := map[string]bool{"https://sp.example": true, "https://wiki.example": true, "https://docs.example": true, "http://localhost:8080": true, "https://[2001:db8::1]:8443": true}
	f.Fuzz(func(t *testing.T, raw string) {
		got, err := acs.Allow(listed, raw)
		if err != nil {
			t.Fatal(err)
		}
		if got == "" {
			return
		}
		if got != raw {
			t.Fatalf("%q became %q", raw, got)
		}
		for _, c := range []byte(got) {
			if c <= ' ' || c > '~' || c == '\\' {
				t.Fatalf("%q holds %q", got, c)
			}
		}
		if strings.HasPrefix(got, "//") {
			t.Fatalf("%q names a host", got)
		}
		u, err := base.Parse(got)
		if err != nil {
			t.Fatalf("%q can't be resolved: %v", got, err)
		}
		if origin := u.Scheme + "://" + u.Host; !origins[origin] || u.User != nil {
			t.Fatalf("%q leads to %q", got, origin)
		}
		// And again, from where that led: as a proxy or router would write it.
		if again, err := base.Parse(u.EscapedPath()); err != nil || again.Host != "sp.example" {
			t.Fatalf("the path of %q leads to %v, %v", got, again, err)
		}
	})
}

// D46: what stands in RelayState is in no page.
func TestD46_MarkupInRelayState(t *testing.T) {
	w := newWorld(t)
	us := w.region("us-east-1")
	for _, raw := range []string{`"><script>alert(1)</script>`, `'-alert(1)-'`, `/a"onmouseover="alert(1)`} {
		rec := w.browser().answer(us, w.good(usACS, ""), raw)
		w.refused(rec, http.StatusForbidden, acs.ReasonUnsolicited)
		require.NotContains(t, rec.Body.String(), "alert")
		require.NotContains(t, rec.Body.String(), raw)
		require.NotContains(t, w.logs.String(), "alert")
		rec = w.browser().get(us, "https://us-east-1.signin.example/login?return_to="+url.QueryEscape(raw))
		require.NotContains(t, fmt.Sprint(rec.Header(), rec.Body), "alert")
	}
}
