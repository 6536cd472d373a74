package acs

import (
	"net/url"
	"slices"
	"strings"

	"github.com/meridian-saml/meridian/saml"
)

// maxReturnTo bounds a ReturnTo, in bytes.
const maxReturnTo = 2048

// LocalPath returns raw if it is a safe redirect target: a path of the same origin, with query and fragment, of at
// most 2,048 bytes. Otherwise it returns the empty string.
//
// An attacker can choose the target in a link, so LocalPath refuses everything that programs read differently:
// backslashes, which browsers read as slashes; control characters and spaces, some of which they drop; quotation
// marks and angle brackets, which they encode; and dot segments, which they resolve. In the path it also refuses
// the percent-encoding of these, and two leading slashes, which would name a host.
func LocalPath(raw string) string {
	u := safeURL(raw)
	if u == nil || raw[0] != '/' || u.Scheme != "" || u.Host != "" || strings.HasPrefix(raw, "//") {
		return ""
	}
	return raw
}

// safeURL parses a URL. It returns nil if programs could read the URL differently.
func safeURL(raw string) *url.URL {
	if raw == "" || len(raw) > maxReturnTo || !isURLText(raw) || strings.ContainsAny(raw, `"<>`) {
		return nil
	}
	u, err := url.Parse(raw)
	if err != nil || u.Opaque != "" || u.User != nil || !safePath(u.Path) {
		return nil
	}
	return u
}

// isURLText reports whether s is visible ASCII without a backslash.
func isURLText(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' || r == '\\' })
}

// safePath checks a path after percent-decoding. A later redirect may use the decoded path, in which two leading
// slashes would name a host.
func safePath(decoded string) bool {
	segments := strings.Split(decoded, "/")
	return !strings.HasPrefix(decoded, "//") && !slices.Contains(segments, ".") && !slices.Contains(segments, "..") &&
		!strings.ContainsFunc(decoded, func(r rune) bool { return r < ' ' || r == 0x7f || r == '\\' })
}

// IsLoopback is [saml.IsLoopback], for packages that don't import package saml.
func IsLoopback(host string) bool { return saml.IsLoopback(host) }

// origins are the other origins to which a user may be redirected: in lower case, without a default port.
type origins []string

// newOrigins checks a list of origins.
func newOrigins(field string, listed []string) (origins, error) {
	var out origins
	for _, raw := range listed {
		u, err := url.Parse(raw)
		want := ""
		switch {
		case err != nil || !isURLText(raw) || u.Hostname() == "":
			want = "an origin such as https://wiki.example"
		case u.User != nil || u.RawQuery != "" || u.ForceQuery || u.Fragment != "" || (u.Path != "" && u.Path != "/"):
			want = "scheme, host and port alone"
		case u.Scheme != "https" && (u.Scheme != "http" || !IsLoopback(u.Hostname())):
			want = "https, or http for a loopback host"
		case strings.ContainsAny(u.Host, "%@"):
			want = "a host name"
		}
		if want != "" {
			return nil, badValue(field, want, withoutUser(raw))
		}
		out = append(out, u.Scheme+"://"+canonicalHost(u.Scheme, u.Host))
	}
	return out, nil
}

// allow returns raw if it is a safe redirect target: a local path, or a URL of one of the origins. Otherwise it
// returns the empty string.
func (o origins) allow(raw string) string {
	if strings.HasPrefix(raw, "/") {
		return LocalPath(raw)
	}
	u := safeURL(raw)
	if u == nil {
		return ""
	}
	// The origin is also compared as text, including the byte that follows it. So the end of the host doesn't
	// depend on a parser.
	at := slices.IndexFunc(o, func(origin string) bool {
		rest, ok := strings.CutPrefix(raw, origin)
		return ok && (rest == "" || strings.IndexByte("/?#", rest[0]) >= 0)
	})
	if at < 0 || u.Scheme+"://"+u.Host != o[at] {
		return ""
	}
	return raw
}

// canonicalHost returns a host as browsers write it in an origin.
func canonicalHost(scheme, host string) string {
	host = strings.ToLower(host)
	switch scheme {
	case "https":
		return strings.TrimSuffix(host, ":443")
	case "http":
		return strings.TrimSuffix(host, ":80")
	}
	return host
}
