package center

import (
	"net/url"
	"regexp"
	"strings"
)

// withoutUser returns a refused URL for an error, without its user information, which may be a password or a token. A
// parser can't find the end of it: a password with "/", "?" or "#" ends it too early. So everything before the last "@"
// is left out. If there is no "@" and the URL doesn't parse, everything after the scheme is left out. Packages that
// can't share this function have copies, and a test compares them.
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
