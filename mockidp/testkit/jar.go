package testkit

import (
	"cmp"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Jar holds cookies by host, without the port, and by name. Tests may remove cookies and add others.
//
// It follows RFC 6265bis and Chromium, with two differences: it accepts no Domain other than the host, and a
// host has one cookie of a name, whatever its path.
type Jar map[string]map[string]*http.Cookie

// Keep stores the cookies that a response from u sets, except those that a browser rejects.
func (j Jar) Keep(u *url.URL, cookies []*http.Cookie, now time.Time) {
	host := hostname(u)
	for _, c := range cookies {
		if !acceptable(u, c) {
			continue
		}
		if c.MaxAge < 0 || c.MaxAge == 0 && !c.Expires.IsZero() && c.Expires.Before(now) {
			delete(j[host], c.Name)
			continue
		}
		k := *c
		if c.MaxAge > 0 {
			k.Expires = now.Add(time.Duration(c.MaxAge) * time.Second)
		}
		if !strings.HasPrefix(k.Path, "/") {
			k.Path = u.Path[:max(0, strings.LastIndexByte(u.Path, '/'))]
		}
		if j[host] == nil {
			j[host] = map[string]*http.Cookie{}
		}
		j[host][c.Name] = &k
	}
}

// acceptable reports whether a browser stores a new cookie (RFC 6265bis 5.7).
func acceptable(u *url.URL, c *http.Cookie) bool {
	otherDomain := c.Domain != "" && strings.TrimPrefix(strings.ToLower(c.Domain), ".") != hostname(u)
	needsSecure := c.SameSite == http.SameSiteNoneMode || strings.HasPrefix(c.Name, "__Host-") ||
		strings.HasPrefix(c.Name, "__Secure-")
	badHost := strings.HasPrefix(c.Name, "__Host-") && (c.Path != "/" || c.Domain != "")
	return !otherDomain && !badHost && (c.Secure || !needsSecure) && (!c.Secure || secure(u))
}

// attach adds the cookies to a navigation. A request that the same site or the user started gets all of them.
// Others get those with SameSite=None and, with GET, those with Lax, which is the default (RFC 6265bis 5.8.3).
func (j Jar) attach(r *http.Request, same bool) {
	now := time.Now()
	for name, c := range j[hostname(r.URL)] {
		if !pathMatches(r.URL.Path, c.Path) || !c.Expires.IsZero() && !now.Before(c.Expires) || c.Secure && !secure(r.URL) {
			continue
		}
		lax := c.SameSite != http.SameSiteStrictMode && c.SameSite != http.SameSiteNoneMode
		if same || c.SameSite == http.SameSiteNoneMode || lax && r.Method == http.MethodGet {
			r.AddCookie(&http.Cookie{Name: name, Value: c.Value, Quoted: c.Quoted})
		}
	}
}

// pathMatches reports whether a request's path is the cookie's or below it (RFC 6265 5.1.4).
func pathMatches(path, cookie string) bool {
	return path == cookie || strings.HasPrefix(cmp.Or(path, "/"), strings.TrimSuffix(cookie, "/")+"/")
}

// Copy returns a jar with the same cookies.
func (j Jar) Copy() Jar {
	out := maps.Clone(j)
	for host, cookies := range j {
		out[host] = maps.Clone(cookies)
	}
	return out
}

// Value returns the value of a cookie, or "".
func (j Jar) Value(host, name string) string {
	if c := j[host][name]; c != nil {
		return c.Value
	}
	return ""
}
