package browse

import (
	"maps"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/meridian-saml/meridian/saml"
)

// jar keeps cookies as RFC 6265bis has it and Chromium does it: by host,
// whatever the port. net/http's own jar would not do: it sends no Secure
// cookie over http, where browsers make an exception for this machine, and it
// knows nothing of SameSite.
type jar map[string]map[string]kept // host to name to cookie

type kept struct {
	value, path string
	sameSite    http.SameSite
	until       time.Time // zero: as long as the browser runs
}

// keep takes what a response sets, and leaves out what a browser would.
func (j jar) keep(u *url.URL, cookies []*http.Cookie, now time.Time) {
	host := u.Hostname()
	for _, c := range cookies {
		if !acceptable(u, c) {
			continue
		}
		if j[host] == nil {
			j[host] = map[string]kept{}
		}
		if c.MaxAge < 0 || c.MaxAge == 0 && !c.Expires.IsZero() && c.Expires.Before(now) {
			delete(j[host], c.Name)
			continue
		}
		k := kept{value: c.Value, path: c.Path, sameSite: c.SameSite, until: c.Expires}
		if c.MaxAge > 0 {
			k.until = now.Add(time.Duration(c.MaxAge) * time.Second)
		}
		if !strings.HasPrefix(k.path, "/") {
			k.path = u.Path[:max(1, strings.LastIndexByte(u.Path, '/'))]
		}
		j[host][c.Name] = k
	}
}

// acceptable is what RFC 6265bis 5.6 asks of a new cookie. Here no cookie has
// a Domain: one that did would be somebody's mistake.
func acceptable(u *url.URL, c *http.Cookie) bool {
	// Secure Contexts 3.1: http is as good as https where it stays on this machine.
	secureChannel := u.Scheme == "https" || saml.IsLoopback(u.Hostname())
	switch {
	case c.Domain != "":
		return false
	case c.Secure && !secureChannel:
		return false
	case c.SameSite == http.SameSiteNoneMode && !c.Secure:
		return false
	case strings.HasPrefix(c.Name, "__Host-") && (!c.Secure || c.Path != "/"):
		return false
	case strings.HasPrefix(c.Name, "__Secure-") && !c.Secure:
		return false
	}
	return true
}

// send puts into a top-level request what belongs there: everything if the
// page that started it is of the same site, or there was none; else what is
// SameSite=None, and with a safe method what is Lax, which is also what a
// cookie without the attribute is (RFC 6265bis 5.8.3).
func (j jar) send(r *http.Request, same bool) {
	now := time.Now()
	for name, c := range j[r.URL.Hostname()] {
		onPath := r.URL.Path == c.path || strings.HasPrefix(r.URL.Path, strings.TrimSuffix(c.path, "/")+"/")
		if !onPath || !c.until.IsZero() && !now.Before(c.until) {
			continue
		}
		lax := c.sameSite != http.SameSiteStrictMode && c.sameSite != http.SameSiteNoneMode
		if same || c.sameSite == http.SameSiteNoneMode || lax && r.Method == http.MethodGet {
			r.AddCookie(&http.Cookie{Name: name, Value: c.value})
		}
	}
}

func (j jar) clone() jar {
	out := jar{}
	for host, cookies := range j {
		out[host] = maps.Clone(cookies)
	}
	return out
}

// sameSite compares the page that started a request with where it goes. The
// public suffix list has no rule for localhost, so its default rule holds: the
// last label is the suffix, and idp.localhost and us-east-1.localhost are two
// sites. The scheme counts, the port doesn't.
func sameSite(from string, to *url.URL) bool {
	u, err := url.Parse(from)
	return err == nil && u.Host != "" && u.Scheme == to.Scheme && site(u.Hostname()) == site(to.Hostname())
}

func site(host string) string {
	if net.ParseIP(host) != nil {
		return host
	}
	labels := strings.Split(host, ".")
	return strings.Join(labels[max(0, len(labels)-2):], ".")
}
