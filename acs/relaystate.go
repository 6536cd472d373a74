package acs

import (
	"net/url"
	"slices"
	"strings"

	"github.com/meridian-saml/meridian/saml"
)

// maxReturnTo is the longest place that a person is sent on to, in bytes.
const maxReturnTo = 2048

// origins are the origins, besides our own, that a person may be sent on to:
// lower case, without a default port.
type origins []string

// newOrigins checks what an operator listed.
func newOrigins(field string, listed []string) (origins, error) {
	var out origins
	for _, raw := range listed {
		u, err := url.Parse(raw)
		switch {
		case err != nil || !plain(raw) || u.Hostname() == "":
			return nil, badConfig(field, "an origin such as https://wiki.example is wanted, got "+quoted(withoutUser(raw)), nil)
		case u.User != nil || u.RawQuery != "" || u.ForceQuery || u.Fragment != "" || (u.Path != "" && u.Path != "/"):
			return nil, badConfig(field, "only scheme, host and port make an origin, got "+quoted(withoutUser(raw)), nil)
		case u.Scheme != "https" && (u.Scheme != "http" || !IsLoopback(u.Hostname())):
			return nil, badConfig(field, "https is wanted, or http for a loopback host, got "+quoted(withoutUser(raw)), nil)
		case strings.ContainsAny(u.Host, "%@"):
			return nil, badConfig(field, "a host name is wanted, got "+quoted(withoutUser(raw)), nil)
		}
		out = append(out, u.Scheme+"://"+canonicalHost(u.Scheme, u.Host))
	}
	return out, nil
}

// allow gives back a place that a person can safely be sent on to, and the
// empty string for every other: a path of ours, or a URL that begins with one
// of the origins. Whoever writes the link chooses it, so what programs
// disagree about is refused: back slashes (browsers read them as slashes),
// control characters and blanks (they drop some), dot segments (they resolve
// them), and the same in percent-encoding where a path begins.
func (o origins) allow(raw string) string {
	if raw == "" || len(raw) > maxReturnTo || !plain(raw) {
		return ""
	}
	u, err := url.Parse(raw)
	if err != nil || u.Opaque != "" || u.User != nil || !safePath(u.Path) {
		return ""
	}
	if strings.HasPrefix(raw, "/") {
		if u.Scheme != "" || u.Host != "" || strings.HasPrefix(raw, "//") {
			return ""
		}
		return raw
	}
	// The origin is compared as text, from the first byte to what must follow
	// it, so there is no second opinion about where the host ends.
	at := slices.IndexFunc(o, func(origin string) bool {
		rest, ok := strings.CutPrefix(raw, origin)
		return ok && (rest == "" || strings.IndexByte("/?#", rest[0]) >= 0)
	})
	if at < 0 || u.Scheme+"://"+u.Host != o[at] {
		return ""
	}
	return raw
}

// plain reports whether s is visible ASCII without a back slash, as an
// address is when it is written out.
func plain(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] > '~' || s[i] == '\\' {
			return false
		}
	}
	return true
}

// safePath looks at a path after percent-decoding, for what may be behind us:
// sent on by itself, one with two slashes in front would name a host.
func safePath(decoded string) bool {
	if strings.HasPrefix(decoded, "//") {
		return false
	}
	for segment := range strings.SplitSeq(decoded, "/") {
		if segment == "." || segment == ".." {
			return false
		}
	}
	return !strings.ContainsFunc(decoded, func(r rune) bool { return r < ' ' || r == 0x7f || r == '\\' })
}

// canonicalHost is a host as browsers write it in an origin.
func canonicalHost(scheme, host string) string {
	host = strings.ToLower(host)
	if port := map[string]string{"https": ":443", "http": ":80"}[scheme]; port != "" {
		host = strings.TrimSuffix(host, port)
	}
	return host
}

// IsLoopback is [saml.IsLoopback], for packages that know this one alone.
func IsLoopback(host string) bool { return saml.IsLoopback(host) }
