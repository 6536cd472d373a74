package acs_test

import (
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/meridian-saml/meridian/acs"
)

// localPaths are safe to redirect to.
var localPaths = []string{
	"/", "/a", "/a/", "/applications", "/a/b?c=d&e=%0d%0a#f", "/a?next=https://evil.example", "/a?b=//c",
	"/login?return_to=//evil.example", "/a//b",
	"/~x/.well-known", "/...", "/a/..b/c..", "/a%2Fb", "/wiki/100%25", "/role/a%20b/?x=%2Fy&z", "/r%C3%B6le;v=1/a@b:c",
	"/;//evil.example", "/%252f%252fevil.example",
	"/a?filter[name]={x}|y^`'", "/a?b=100%", "/?", "/#", "/" + strings.Repeat("a", 2047),
}

// otherPlaces are not: other origins, and what some program reads as one.
var otherPlaces = []string{
	"https://evil.example", "http://evil.example/", "//evil.example", "///evil.example", "////evil.example", "/\\evil.example", "\\\\evil.example",
	"\\evil.example", "/\t/evil.example", "/\n/evil.example", "\t//evil.example", " //evil.example", "//evil.example ", " /a", "/a ", "/a b",
	"javascript:alert(1)", "JavaScript:alert(1)", "data:text/html,x", "java\nscript:alert(1)", "vbscript:x", "mailto:a@b", "/a\r\nSet-Cookie: x=y", "/a\x00", "/a\x7f",
	"/%2Fevil.example", "/%2f%2fevil.example", "/%5Cevil.example", "/%5c/evil.example", "/%09/evil.example", "/%0a/evil.example", "/%00", "/a%00b", "/a%7fb", "/a%0d%0aSet-Cookie:%20x=y",
	"/.//evil.example", "/..//evil.example", "/a/..//evil.example", "/a/../..//evil.example", "/%2e//evil.example", "/a/%2E%2e//evil.example", "/.", "/..", "/./a", "/a/..", "/a/../../evil.example", "/%2e%2e/evil.example",
	"evil.example", "a", "./a", "../a", "?a", "#a", "", "*", "/%zz", "/a%", ":", "://", "https:", "http:evil.example", "https:/evil.example", "https:evil.example", "https:///evil.example",
	"@evil.example", ".evil.example", "https://user:pass@evil.example:80/a?b", "http://evil.example//evil.example/",
	"/a?\"><script>", "/a?b=\xff", "/a#\"", "/<b>", "/a?b=\n", "/a?b=\\", "/é", "/\u202e", "/\u0085", "／／evil.example", "https:／／wiki.example",
	"/" + strings.Repeat("a", 2048), "/?" + strings.Repeat("a", 2047),
}

func TestInvariant11_LocalPath(t *testing.T) {
	for _, raw := range localPaths {
		assert.Equal(t, raw, acs.LocalPath(raw))
	}
	for _, raw := range slices.Concat(openRedirects, []string{"https://wiki.example", "http://localhost:8080/"}) {
		assert.Empty(t, acs.LocalPath(raw), "%q", raw)
	}
}

func FuzzLocalPath(f *testing.F) {
	for _, raw := range slices.Concat(allowedPlaces, openRedirects) {
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		got := acs.LocalPath(raw)
		checkPlace(t, raw, got, "https://sp.example")
		if got != "" && got[0] != '/' {
			t.Fatalf("%q is no path", got)
		}
	})
}

// checkPlace: an allowed place is unchanged and resolves to one of these origins, of which the first is our own;
// and it holds nothing that another program could resolve differently.
func checkPlace(t *testing.T, raw, got string, origins ...string) {
	if got == "" {
		return
	}
	if got != raw {
		t.Fatalf("%q became %q", raw, got)
	}
	for _, c := range []byte(got) {
		if c <= ' ' || c > '~' || strings.IndexByte(`\"<>`, c) >= 0 {
			t.Fatalf("%q holds %q", got, c)
		}
	}
	if strings.HasPrefix(got, "//") {
		t.Fatalf("%q names a host", got)
	}
	base := &url.URL{Scheme: "https", Host: "sp.example", Path: "/x"}
	u, err := base.Parse(got)
	if err != nil {
		t.Fatalf("%q can't be resolved: %v", got, err)
	}
	if origin := u.Scheme + "://" + u.Host; !slices.Contains(origins, origin) || u.User != nil {
		t.Fatalf("%q leads to %q", got, origin)
	}
	// And again from there, as a proxy or router would write it.
	if again, err := base.Parse(u.EscapedPath()); err != nil || again.Host != "sp.example" {
		t.Fatalf("the path of %q leads to %v, %v", got, again, err)
	}
}
