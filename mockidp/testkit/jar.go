package testkit

import (
	"cmp"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Jar has cookies by host, without the port, and by name. Tests may take cookies
// out and put others in.
//
// It keeps and sends cookies by RFC 6265bis and as Chromium does, except that it
// takes no Domain other than the host, and that a host has one cookie of a name,
// whatever its path.
type Jar map[string]map[string]*http.Cookie

// Keep takes the cookies that a response from u sets, except those that a
// browser refuses.
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

// acceptable is what RFC 6265bis 5.7 asks of a new cookie.
func acceptable(u *url.URL, c *http.Cookie) bool {
	switch {
	case c.Domain != "" && strings.TrimPrefix(strings.ToLower(c.Domain), ".") != hostname(u):
		return false
	case c.Secure && !secure(u):
		return false
	case c.SameSite == http.SameSiteNoneMode && !c.Secure:
		return false
	case strings.HasPrefix(c.Name, "__Host-") && (!c.Secure || c.Path != "/" || c.Domain != ""):
		return false
	case strings.HasPrefix(c.Name, "__Secure-") && !c.Secure:
		return false
	}
	return true
}

// attach puts into a navigation the cookies that belong there: all if the page
// that started it is of the same site, or there was none; else those with
// SameSite=None, and with a safe method those with Lax, which is also what a
// cookie without the attribute is (RFC 6265bis 5.8.3).
func (j Jar) attach(r *http.Request, same bool) {
	now := time.Now()
	for name, c := range j[hostname(r.URL)] {
		if !below(r.URL.Path, c.Path) || !c.Expires.IsZero() && !now.Before(c.Expires) || c.Secure && !secure(r.URL) {
			continue
		}
		lax := c.SameSite != http.SameSiteStrictMode && c.SameSite != http.SameSiteNoneMode
		if same || c.SameSite == http.SameSiteNoneMode || lax && r.Method == http.MethodGet {
			r.AddCookie(&http.Cookie{Name: name, Value: c.Value, Quoted: c.Quoted})
		}
	}
}

// below says whether a request's path is a cookie's or below it (RFC 6265 5.1.4).
func below(path, of string) bool {
	return path == of || strings.HasPrefix(cmp.Or(path, "/"), strings.TrimSuffix(of, "/")+"/")
}

// Copy returns a jar with the same cookies.
func (j Jar) Copy() Jar {
	out := make(Jar)
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
