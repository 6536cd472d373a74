package failover_test

import (
	"bufio"
	"crypto/sha256"
	"encoding/base64"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/portal/failover"
)

// Rule 68: the nearest healthy Region, by 302, never from a cache.
func TestRule68RedirectsToNearest(t *testing.T) {
	for _, method := range []string{"GET", "HEAD"} {
		rd := start(t, nil, failover.Config{AssumeHealthy: true})
		resp := get(rd, method, "https://portal.example/start?x=1")
		require.Equal(t, http.StatusFound, resp.StatusCode)
		require.Equal(t, virginia+"/", resp.Header.Get("Location"))
		require.Equal(t, "no-store", resp.Header.Get("Cache-Control"))
		require.Empty(t, resp.Cookies())
	}
}

func TestOtherMethodsAreNotTurnedIntoGET(t *testing.T) {
	rd := start(t, nil, failover.Config{AssumeHealthy: true, KeepPath: true})
	for _, method := range []string{"POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "get", "PROPFIND"} {
		resp := get(rd, method, "https://portal.example/platform/saml/acs/4455")
		require.Equal(t, http.StatusMethodNotAllowed, resp.StatusCode, method)
		require.Equal(t, "GET, HEAD", resp.Header.Get("Allow"))
		require.Empty(t, resp.Header.Get("Location"))
	}
}

func TestNoRegionIsAPlainPage(t *testing.T) {
	rd := start(t, nil, failover.Config{Interval: 1500 * time.Millisecond}) // never probed
	resp := get(rd, "GET", "https://portal.example/<script>?<script>")
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.Equal(t, http.StatusServiceUnavailable, resp.StatusCode)
	require.Equal(t, "2", resp.Header.Get("Retry-After"))
	require.Equal(t, "no-store", resp.Header.Get("Cache-Control"))
	require.Equal(t, "text/html; charset=utf-8", resp.Header.Get("Content-Type"))
	require.Empty(t, resp.Header.Get("Location"))

	// Nothing to load, nothing to run, and the policy allows this style alone.
	style := regexp.MustCompile(`(?s)<style>(.*)</style>`).FindSubmatch(body)
	require.NotNil(t, style)
	sum := sha256.Sum256(style[1])
	require.Equal(t, "default-src 'none'; style-src 'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+
		"'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'", resp.Header.Get("Content-Security-Policy"))
	require.NotRegexp(t, `(?i)<script|<link|<img|style=|http-equiv|url\(|@import`, string(body))
	require.Contains(t, string(body), `<html lang="en">`)
	require.Contains(t, string(body), `<a href="">Try again</a>`)
	require.Equal(t, 1, strings.Count(string(body), "<h1>"))

	head := get(rd, "HEAD", "https://portal.example/")
	require.Equal(t, http.StatusServiceUnavailable, head.StatusCode)
	require.Equal(t, resp.Header, head.Header)
}

// What anybody may ask for, and where that leads with KeepPath. Without it,
// everything leads to the home.
func TestPaths(t *testing.T) {
	home := start(t, nil, failover.Config{AssumeHealthy: true})
	keep := start(t, nil, failover.Config{AssumeHealthy: true, KeepPath: true})
	for target, want := range map[string]string{
		"/":                                     "/",
		"/applications":                         "/applications",
		"/role/a%20b/?x=%2Fy&z":                 "/role/a%20b/?x=%2Fy&z",
		"/r%C3%B6le;v=1/a@b:c":                  "/r%C3%B6le;v=1/a@b:c",
		"/login?return_to=//evil.example":       "/login?return_to=//evil.example", // the portal's to judge
		"//evil.example":                        "/",
		"///evil.example":                       "/",
		"/a//evil.example":                      "/",
		`/\evil.example`:                        "/",
		"/%5Cevil.example":                      "/",
		"/%2f%2fevil.example":                   "/",
		"/%2F/evil.example":                     "/",
		"/%252f%252fevil.example":               "/",
		"/..//evil.example":                     "/",
		"/a/../../evil.example":                 "/",
		"/./a":                                  "/",
		"/a/..":                                 "/",
		"/%2e%2e/evil.example":                  "/",
		"/a%0d%0aSet-Cookie:%20x=y":             "/",
		"/a?b=%0d%0aSet-Cookie:%20x=y":          "/",
		"/a%00b":                                "/",
		"/a%7fb":                                "/",
		"/a?\"><script>":                        "/",
		"/a?b=\xff":                             "/",
		"/a?b=%zz":                              "/",
		"/a?b=%2":                               "/",
		"/ü":                                    "/%C3%BC", // Go's own encoding of it
		"/" + strings.Repeat("a", 3000):         "/",
		"/?" + strings.Repeat("a", 3000):        "/",
		"http://evil.example/":                  "/",
		"http://evil.example//evil.example/":    "/",
		"http://evil.example/applications":      "/applications",
		"http:evil.example":                     "/",
		"@evil.example":                         "/",
		".evil.example":                         "/",
		"*":                                     "/",
		"https://user:pass@evil.example:80/a?b": "/a?b",
	} {
		u, err := url.Parse(target)
		if err != nil {
			u = &url.URL{Path: target}
		}
		for rd, want := range map[*failover.Redirector]string{home: "/", keep: want} {
			r := httptest.NewRequest("GET", "/", nil)
			r.URL, r.Host, r.RequestURI = u, "evil.example", target
			r.Header.Set("X-Forwarded-Host", "evil.example")
			w := httptest.NewRecorder()
			rd.ServeHTTP(w, r)
			require.Equal(t, virginia+want, w.Header().Get("Location"), target)
		}
	}
}

// The same over the wire, where Go's server parses the request line.
func TestPathsOverTheWire(t *testing.T) {
	srv := httptest.NewServer(start(t, nil, failover.Config{AssumeHealthy: true, KeepPath: true}))
	defer srv.Close()
	for _, target := range []string{"//evil.example", `/\evil.example`, "/%2f%2fevil.example", "/..//evil.example", "http://evil.example", "http://evil.example//x"} {
		conn, err := net.Dial("tcp", srv.Listener.Addr().String())
		require.NoError(t, err)
		_, err = io.WriteString(conn, "GET "+target+" HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n")
		require.NoError(t, err)
		resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		require.NoError(t, conn.Close())
		require.Equal(t, http.StatusFound, resp.StatusCode, target)
		require.Equal(t, virginia+"/", resp.Header.Get("Location"), target)
	}
}

func TestStripPrefixGoesBeforeKeepPath(t *testing.T) {
	rd := start(t, nil, failover.Config{AssumeHealthy: true, KeepPath: true})
	resp := get(http.StripPrefix("/go", rd), "GET", "https://portal.example/go/applications?a=b")
	require.Equal(t, virginia+"/applications?a=b", resp.Header.Get("Location"))
	// StripPrefix can leave two slashes in front, or none.
	require.Equal(t, virginia+"/", get(http.StripPrefix("/go", rd), "GET", "https://portal.example/go//evil.example").Header.Get("Location"))
	require.Equal(t, virginia+"/", get(http.StripPrefix("/go", rd), "GET", "https://portal.example/go.evil.example").Header.Get("Location"))
}

func TestOrder(t *testing.T) {
	var order []string
	rd := start(t, nil, failover.Config{AssumeHealthy: true, Order: func(*http.Request) []string { return order }})
	for _, c := range []struct {
		order []string
		want  string
	}{
		{nil, virginia},
		{[]string{"eu-central-1"}, frankfurt},
		{[]string{"https://evil.example", "", "eu-central-1"}, frankfurt},
		{[]string{"https://evil.example"}, virginia},
		{[]string{"ap-northeast-1", "eu-central-1"}, tokyo},
	} {
		order = c.order
		require.Equal(t, c.want+"/", leads(rd), c.order)
	}
	// A Region that Order leaves out is still there when the others are not.
	order = []string{"ap-northeast-1", "eu-central-1"}
	require.NoError(t, rd.Set("ap-northeast-1", failover.Off))
	require.Equal(t, frankfurt+"/", leads(rd))
	require.NoError(t, rd.Set("eu-central-1", failover.Off))
	require.Equal(t, virginia+"/", leads(rd))
}

func TestClientAddress(t *testing.T) {
	prefix := netip.MustParsePrefix
	table := []failover.Near{
		{Prefix: prefix("203.0.113.0/24"), Regions: []string{"eu-central-1"}},
		{Prefix: prefix("203.0.113.128/25"), Regions: []string{"ap-northeast-1"}},
		{Prefix: prefix("2001:db8::/32"), Regions: []string{"ap-northeast-1"}},
	}
	direct := failover.ClientAddress{Table: table}
	proxied := failover.ClientAddress{Table: table, Header: "x-forwarded-for", Proxies: []netip.Prefix{prefix("10.0.0.0/8"), prefix("fd00::/8")}}
	for _, c := range []struct {
		name   string
		by     failover.ClientAddress
		remote string
		header []string
		want   string
	}{
		{"the connection", direct, "203.0.113.9:1234", nil, frankfurt},
		{"the longest prefix", direct, "203.0.113.200:1234", nil, tokyo},
		{"IPv6", direct, "[2001:db8::7]:1234", nil, tokyo},
		{"IPv4 in IPv6", direct, "[::ffff:203.0.113.9]:1234", nil, frankfurt},
		{"unknown", direct, "198.51.100.1:1234", nil, virginia},
		{"no address", direct, "@", nil, virginia},
		{"a header that nobody named", direct, "198.51.100.1:1234", []string{"203.0.113.9"}, virginia},
		{"a header from a stranger", proxied, "198.51.100.1:1234", []string{"203.0.113.9"}, virginia},
		{"a header from our proxy", proxied, "10.1.2.3:1234", []string{"203.0.113.9"}, frankfurt},
		{"with a port", proxied, "10.1.2.3:1234", []string{"[2001:db8::7]:99"}, tokyo},
		{"in brackets", proxied, "10.1.2.3:1234", []string{"[2001:db8::7]"}, tokyo},
		{"what the browser wrote before it", proxied, "10.1.2.3:1234", []string{"203.0.113.200, 203.0.113.9"}, frankfurt},
		{"in lines", proxied, "10.1.2.3:1234", []string{"203.0.113.200", "203.0.113.9"}, frankfurt},
		{"two proxies", proxied, "[fd00::1]:1234", []string{"203.0.113.200, 203.0.113.9,10.9.9.9"}, frankfurt},
		{"a browser that claims to be a proxy", proxied, "10.1.2.3:1234", []string{"203.0.113.9, 10.9.9.9, 198.51.100.1"}, virginia},
		{"garbage", proxied, "10.1.2.3:1234", []string{"203.0.113.9, unknown"}, virginia},
		{"empty", proxied, "10.1.2.3:1234", []string{""}, virginia},
		{"none", proxied, "10.1.2.3:1234", nil, virginia},
		{"no end of proxies", proxied, "10.1.2.3:1234", []string{"203.0.113.9" + strings.Repeat(",10.1.1.1", 1000)}, virginia},
	} {
		t.Run(c.name, func(t *testing.T) {
			order, err := c.by.Order()
			require.NoError(t, err)
			rd := start(t, nil, failover.Config{AssumeHealthy: true, Order: order})
			r := httptest.NewRequest("GET", "https://portal.example/", nil)
			r.RemoteAddr = c.remote
			r.Header["X-Forwarded-For"] = slices.Clone(c.header)
			w := httptest.NewRecorder()
			rd.ServeHTTP(w, r)
			require.Equal(t, c.want+"/", w.Header().Get("Location"))
		})
	}
}
