package acs

import (
	"net/url"
	"slices"
	"strings"

	"github.com/meridian-saml/meridian/acs/internal/storeerr"
)

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
			return nil, badConfig(field, "an origin such as https://wiki.example is wanted, got "+storeerr.Quote(withoutUser(raw)), nil)
		case u.User != nil || u.RawQuery != "" || u.ForceQuery || u.Fragment != "" || (u.Path != "" && u.Path != "/"):
			return nil, badConfig(field, "only scheme, host and port make an origin, got "+storeerr.Quote(withoutUser(raw)), nil)
		case u.Scheme != "https" && (u.Scheme != "http" || !IsLoopback(u.Hostname())):
			return nil, badConfig(field, "https is wanted, or http for a loopback host, got "+storeerr.Quote(withoutUser(raw)), nil)
		case strings.ContainsAny(u.Host, "%@"):
			return nil, badConfig(field, "a host name is wanted, got "+storeerr.Quote(withoutUser(raw)), nil)
		}
		out = append(out, u.Scheme+"://"+canonicalHost(u.Scheme, u.Host))
	}
	return out, nil
}

// allow returns a place that a user can safely be sent on to, and the empty
// string for every other: a local path, or a URL of one of the origins.
func (o origins) allow(raw string) string {
	if strings.HasPrefix(raw, "/") {
		return LocalPath(raw)
	}
	u := safeURL(raw)
	if u == nil {
		return ""
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

// canonicalHost is a host as browsers write it in an origin.
func canonicalHost(scheme, host string) string {
	host = strings.ToLower(host)
	if port := map[string]string{"https": ":443", "http": ":80"}[scheme]; port != "" {
		host = strings.TrimSuffix(host, port)
	}
	return host
}
