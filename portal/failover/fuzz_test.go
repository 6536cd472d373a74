package failover_test

import (
	"bufio"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/meridian-saml/meridian/portal/failover"
)

// FuzzRedirect checks the Location for any request: it is missing, or it begins with a configured origin and a slash,
// and a browser parses it as that origin.
func FuzzRedirect(f *testing.F) {
	for _, target := range []string{
		"/", "/applications?a=b", "//evil.example", `/\evil.example`, "/%2f%2fevil.example", "/..//evil.example",
		"/a%0d%0aLocation:%20https://evil.example", "http://evil.example//x", "http:evil.example", "*", "@evil.example",
		".evil.example", "evil.example:443", "/a;b/?%",
	} {
		f.Add("GET", target, "evil.example", "203.0.113.9")
	}
	f.Add("POST", "/platform/saml/acs/4455", "us-east-1.portal.example", "")
	f.Add("HEAD", "/start", "portal.example\r\nX-Forwarded-Host: evil.example", "203.0.113.9, 127.0.0.1")

	forwardedFor := func(r *http.Request) []string {
		if strings.HasPrefix(r.Header.Get("X-Forwarded-For"), "203.0.113.") {
			return []string{"eu-central-1"}
		}
		return nil
	}
	unchecked := func(r *http.Request) []string { return []string{r.Host, r.URL.Path} }
	var all []*failover.Redirector
	for _, keep := range []bool{false, true} {
		all = append(all,
			start(f, nil, failover.Config{AssumeHealthy: true, KeepPath: keep, Order: forwardedFor}),
			start(f, nil, failover.Config{KeepPath: keep, Order: unchecked}))
	}
	f.Fuzz(func(t *testing.T, method, target, host, forwarded string) {
		for _, r := range requests(method, target, host, forwarded) {
			for _, rd := range all {
				w := httptest.NewRecorder()
				rd.ServeHTTP(w, r)
				check(t, w.Result())
			}
		}
	})
}

// requests returns the request as Go's server parses it, if it does, and requests with URLs that middleware may
// produce.
func requests(method, target, host, forwarded string) []*http.Request {
	var out []*http.Request
	wire := method + " " + target + " HTTP/1.1\r\nHost: " + host + "\r\n\r\n"
	if r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(wire))); err == nil {
		out = append(out, r)
	}
	urls := []*url.URL{{Path: target, RawQuery: forwarded}, {Path: "/", RawPath: target, RawQuery: target}}
	if u, err := url.Parse(target); err == nil {
		urls = append(urls, u)
	}
	for _, u := range urls {
		r := httptest.NewRequest("GET", "/", nil)
		r.Method, r.URL, r.Host = method, u, host
		out = append(out, r)
	}
	for _, r := range out {
		r.RemoteAddr = "192.0.2.1:1234"
		r.Header["X-Forwarded-For"] = []string{forwarded}
	}
	return out
}

func check(t *testing.T, resp *http.Response) {
	location, sent := resp.Header["Location"]
	if sent != (resp.StatusCode == http.StatusFound) {
		t.Fatalf("status %d with Location %q", resp.StatusCode, location)
	}
	if !sent {
		return
	}
	for _, origin := range []string{virginia, frankfurt, tokyo} {
		rest, ok := strings.CutPrefix(location[0], origin)
		if !ok {
			continue
		}
		u, err := url.Parse(location[0])
		plain := !strings.ContainsFunc(rest, func(c rune) bool {
			return c <= ' ' || c > '~' || strings.ContainsRune("\\\"<>#", c)
		})
		local := strings.HasPrefix(rest, "/") && !strings.HasPrefix(rest, "//")
		if err == nil && u.Scheme+"://"+u.Host == origin && plain && local && len(location) == 1 {
			return
		}
	}
	t.Fatalf("leads to %q", location)
}
