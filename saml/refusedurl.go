package saml

import (
	"net/url"
	"regexp"
	"strings"
)

// withoutUser returns a refused URL as an error may repeat it: without its user
// information, which may hold a password or a token. It asks no parser where
// that ends: a password with "/", "?" or "#" ends it early. Everything before
// the last "@" is left out, and everything after the scheme of a URL that has
// none and doesn't parse. Packages that can't share it have a copy each, and a
// test compares them.
func withoutUser(raw string) string {
	scheme := urlScheme.FindString(raw)
	if i := strings.LastIndexByte(raw, '@'); i >= 0 {
		return scheme + "…" + raw[i:]
	}
	if _, err := url.Parse(raw); err != nil {
		return scheme + "…"
	}
	return raw
}

var urlScheme = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9+.-]*://`)
