package acs

import (
	"net/url"
	"slices"
	"strings"
)

// origins are the origins, besides this one, that a user may be sent to: in lower case, without a default
// port.
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

// allow returns raw if it is a safe place to send a user to, a local path or a URL of one of the origins,
// and otherwise the empty string.
func (o origins) allow(raw string) string {
	if strings.HasPrefix(raw, "/") {
		return LocalPath(raw)
	}
	u := safeURL(raw)
	if u == nil {
		return ""
	}
	// The origin is compared as text, too, up to the byte that must follow it, so that it doesn't depend on
	// a parser where the host ends.
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
