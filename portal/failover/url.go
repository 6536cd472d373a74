package failover

import (
	"net/netip"
	"net/url"
	"strconv"
	"strings"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/portal/internal/refusal"
)

// checkURL accepts an absolute https URL without user information or fragment,
// and plain http for hosts that can only be this machine. A URL's origin goes
// into headers as it is, so its host may hold nothing unusual.
func checkURL(field, raw string) (*url.URL, error) {
	shown := refusal.WithoutUser(raw)
	u, err := url.Parse(raw)
	if err != nil {
		return nil, badConfig(field, "a URL", shown) // without the cause, which repeats raw
	}
	switch {
	case u.Scheme != "https" && u.Scheme != "http", !plainHost(u):
		return nil, badConfig(field, "an absolute https URL", shown)
	case u.User != nil, strings.Contains(raw, "#"):
		return nil, badConfig(field, "a URL without user information and fragment", shown)
	case u.Scheme == "http" && !acs.IsLoopback(u.Hostname()):
		return nil, badConfig(field, "https, or http for a loopback host", shown)
	}
	return u, nil
}

// plainHost reports whether a URL has a host that is a name in ASCII or an
// address without a zone, and a port that is none or a possible one.
func plainHost(u *url.URL) bool {
	if port := u.Port(); port != "" || strings.HasSuffix(u.Host, ":") {
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
			return false
		}
	}
	host := u.Hostname()
	if ip, err := netip.ParseAddr(host); err == nil {
		return ip.Zone() == ""
	}
	return host != "" && !strings.ContainsFunc(host, func(c rune) bool {
		return c != '-' && c != '.' && c != '_' && !isAlphanumeric(c)
	})
}

func isAlphanumeric(c rune) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
}
