package failover_test

import (
	"bufio"
	"crypto/sha256"
	"encoding/base64"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/acs/theme"
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

func TestUnavailablePage(t *testing.T) {
	rd := start(t, nil, failover.Config{Interval: 1500 * time.Millisecond}) // never probed
	resp := get(rd, "GET", "https://portal.example/<script>?<script>")
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.Equal(t, http.StatusServiceUnavailable, resp.StatusCode)
	require.Equal(t, "2", resp.Header.Get("Retry-After"))
	require.Equal(t, "no-store", resp.Header.Get("Cache-Control"))
	require.Equal(t, "text/html; charset=utf-8", resp.Header.Get("Content-Type"))
	require.Empty(t, resp.Header.Get("Location"))

	// The page loads and runs nothing, and its policy allows only this style.
	style := regexp.MustCompile(`(?s)<style>(.*)</style>`).FindSubmatch(body)
	require.NotNil(t, style)
	sum := sha256.Sum256(style[1])
	require.Equal(t, "default-src 'none'; base-uri 'none'; frame-ancestors 'none'; style-src 'sha256-"+
		base64.StdEncoding.EncodeToString(sum[:])+"'; form-action 'none'", resp.Header.Get("Content-Security-Policy"))
	require.NotRegexp(t, `(?i)<script|<link|<img|style=|http-equiv|url\(|@import`, string(body))
	require.Contains(t, string(body), `<html lang="en" dir="ltr">`)
	require.Contains(t, string(body), "Meridian access portal")
	require.Contains(t, string(body), `<a href="/">Try again</a>`)
	require.Equal(t, 1, strings.Count(string(body), "<h1>"))

	head := get(rd, "HEAD", "https://portal.example/")
	require.Equal(t, http.StatusServiceUnavailable, head.StatusCode)
	require.Equal(t, resp.Header, head.Header)
}

// The pages are in the theme and in the browser's language. Their link leads to the address that was asked for.
func TestPagesHaveTheTheme(t *testing.T) {
	rd := start(t, nil, failover.Config{Theme: theme.Config{
		Name: "Example & Sons", Colors: theme.Colors{Accent: "#7a1f5c"}, Support: "https://help.example/",
		Texts: fstest.MapFS{"fr.json": {Data: []byte(`{"Try again": "Réessayer"}`)}},
	}})
	for language, want := range map[string]string{"de": "Noch einmal versuchen", "fr": "Réessayer", "sw": "Try again"} {
		r := httptest.NewRequest("GET", "/applications?a=1&b=2", nil)
		r.Header.Set("Accept-Language", language)
		w := httptest.NewRecorder()
		rd.ServeHTTP(w, r)
		require.Contains(t, w.Body.String(), `<a href="/applications?a=1&amp;b=2">`+want+"</a>")
		for _, part := range []string{"Example &amp; Sons", "--accent:#7a1f5c", `href="https://help.example/"`} {
			require.Contains(t, w.Body.String(), part)
		}
	}
	r := httptest.NewRequest("POST", "//evil.example", nil)
	r.Header.Set("Accept-Language", "de")
	w := httptest.NewRecorder()
	rd.ServeHTTP(w, r)
	require.Equal(t, http.StatusMethodNotAllowed, w.Code)
	require.Contains(t, w.Body.String(), `<a href="/">Zum Portal</a>`)

	var shown []acs.Page
	rd = start(t, nil, failover.Config{RenderPage: func(w http.ResponseWriter, _ *http.Request, p acs.Page) {
		w.WriteHeader(p.Status)
		shown = append(shown, p)
	}})
	resp := get(rd, "GET", "https://portal.example/")
	require.Equal(t, http.StatusServiceUnavailable, resp.StatusCode)
	require.Equal(t, "no-store", resp.Header.Get("Cache-Control"))
	require.Len(t, shown, 1)
	require.Equal(t, "The portal can't be reached right now", shown[0].Title)

	_, err := failover.New(failover.Config{Regions: regions(), Theme: theme.Config{Support: "javascript:alert(1)"}})
	requireReason(t, err, failover.ReasonConfig)
}

// TestPaths has requested paths, and where they lead with KeepPath. Without it, every path leads to
// the home page.
func TestPaths(t *testing.T) {
	home := start(t, nil, failover.Config{AssumeHealthy: true})
	keep := start(t, nil, failover.Config{AssumeHealthy: true, KeepPath: true})
	for target, want := range map[string]string{
		"/":                                     "/",
		"/applications":                         "/applications",
		"/role/a%20b/?x=%2Fy&z":                 "/role/a%20b/?x=%2Fy&z",
		"/r%C3%B6le;v=1/a@b:c":                  "/r%C3%B6le;v=1/a@b:c",
		"/login?return_to=//evil.example":       "/login?return_to=//evil.example", // the portal checks the path
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
		"/ü":                                    "/%C3%BC", // Go encodes it
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

// Over a connection, Go's server parses the request line.
func TestPathsOverTheWire(t *testing.T) {
	srv := httptest.NewServer(start(t, nil, failover.Config{AssumeHealthy: true, KeepPath: true}))
	defer srv.Close()
	for _, target := range []string{
		"//evil.example", `/\evil.example`, "/%2f%2fevil.example", "/..//evil.example", "http://evil.example",
		"http://evil.example//x",
	} {
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
	h := http.StripPrefix("/go", start(t, nil, failover.Config{AssumeHealthy: true, KeepPath: true}))
	for target, want := range map[string]string{
		"/go/applications?a=b": "/applications?a=b",
		"/go//evil.example":    "/", // StripPrefix leaves two slashes in front
		"/go.evil.example":     "/", // or none
	} {
		resp := get(h, "GET", "https://portal.example"+target)
		require.Equal(t, virginia+want, resp.Header.Get("Location"), target)
	}
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
	// A Region that Order leaves out is used if no other can be.
	order = []string{"ap-northeast-1", "eu-central-1"}
	require.NoError(t, rd.Set("ap-northeast-1", failover.Off))
	require.Equal(t, frankfurt+"/", leads(rd))
	require.NoError(t, rd.Set("eu-central-1", failover.Off))
	require.Equal(t, virginia+"/", leads(rd))
}
