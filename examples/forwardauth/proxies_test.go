package main

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/examples/internal/fronted"
	"github.com/meridian-saml/meridian/mockidp/testkit"
)

const (
	hang = time.Minute // a limit that only a hanging test reaches
	tick = 10 * time.Millisecond
)

func TestMain(m *testing.M) { testkit.Main(m) }

// behind runs a test behind each proxy.
func behind(t *testing.T, test func(*testing.T, *fronted.World)) {
	for _, proxy := range []string{"nginx", "caddy"} {
		t.Run(proxy, func(t *testing.T) {
			t.Parallel()
			test(t, fronted.Start(t, proxy, func(args ...string) { start(t, args...) }))
		})
	}
}

// start runs the program in this process until the test ends.
func start(t *testing.T, args ...string) {
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() {
		_, err := run(ctx, args, io.Discard)
		assert.NoError(t, err)
	})
	t.Cleanup(func() { cancel(); running.Wait() })
}

// raw sends a request as it stands, and returns the answer.
func raw(t *testing.T, origin, target string, header ...string) (status int, h http.Header, body string) {
	t.Helper()
	host := strings.TrimPrefix(origin, "http://")
	c, err := testkit.DialLoopback(t.Context(), "tcp", host)
	require.NoError(t, err)
	defer c.Close()
	require.NoError(t, c.SetDeadline(time.Now().Add(hang)))
	lines := append([]string{"GET " + target + " HTTP/1.1"}, header...)
	for _, missing := range []string{"Host: " + host, "Connection: close"} {
		name, _, _ := strings.Cut(missing, " ")
		if !slices.ContainsFunc(header, func(h string) bool { return strings.HasPrefix(h, name) }) {
			lines = append(lines, missing)
		}
	}
	_, err = io.WriteString(c, strings.Join(lines, "\r\n")+"\r\n\r\n")
	require.NoError(t, err)
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil { // the proxy closed the connection
		require.ErrorIs(t, err, io.ErrUnexpectedEOF)
		return 0, nil, ""
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return resp.StatusCode, resp.Header, string(b)
}

// signedIn returns the Cookie header of a browser that has signed in.
func signedIn(t *testing.T, w *fronted.World, origin, login string) (string, *testkit.Browser) {
	t.Helper()
	b := testkit.NewBrowser(t.Context())
	p, err := b.SignInAs(w.IdP, origin+"/", login)
	require.NoError(t, err)
	require.Equal(t, login, fronted.Of(t, p.Body).Header.Get(userHeader))
	host, _, err := net.SplitHostPort(strings.TrimPrefix(origin, "http://"))
	require.NoError(t, err)
	var pairs []string
	for _, c := range b.Jar[host] {
		pairs = append(pairs, c.Name+"="+c.Value)
	}
	require.NotEmpty(t, pairs)
	return "Cookie: " + strings.Join(pairs, "; "), b
}

// The application gets the user's values, whatever identity headers the client sends, and not the sign-in's cookies
// (K16).
func TestIdentityHeaders(t *testing.T) {
	behind(t, func(t *testing.T, w *fronted.World) {
		cookie, _ := signedIn(t, w, w.Wiki, fronted.Bob)
		for name, forged := range map[string][]string{
			"control":     nil,
			"same names":  {"Remote-User: mallory", "Remote-Email: m", "Remote-Name: m", "Remote-Groups: wiki-admins"},
			"underscores": {"Remote_User: mallory", "REMOTE_GROUPS: wiki-admins"},
			"twice":       {"Remote-User: mallory", "Remote-User: eve", "remote-groups: a", "remote-groups: b"},
			"hop by hop":  {"Connection: close, Remote-User, Remote-Groups, Remote-Email, X-Real-Ip"},
			"forwarded": {"X-Forwarded-Uri: /assets/x", "X-Forwarded-Host: reports.localhost", "X-Forwarded-Method: POST",
				"X-Original-URI: /assets/x", "X-Real-IP: 192.0.2.1", "X-Forwarded-For: 192.0.2.1",
				"Forwarded: for=192.0.2.1;host=reports.localhost"},
			"other paths": {"X-Original-URL: /admin", "X-Rewrite-URL: /admin", "X_Original_URL: /admin",
				"X_Rewrite_URL: /admin"},
			"dots": {"Remote.User: mallory", "X.Forwarded.Host: reports.localhost"},
		} {
			status, _, body := raw(t, w.Wiki, "/page?a=%2e%2e", append(forged, cookie+"; theirs=1")...)
			require.Equal(t, http.StatusOK, status, "%s: %s", name, body)
			got := fronted.Of(t, body)
			assert.Equal(t, "wiki", got.Application)
			assert.Equal(t, "/page?a=%2e%2e", got.Target)
			for header, values := range got.Header {
				canonical := strings.NewReplacer("_", "-", ".", "-").Replace(strings.ToLower(header))
				for _, v := range values {
					assert.NotContains(t, v, "/admin", "%s: %s", name, header)
					assert.NotContains(t, v, "reports.localhost", "%s: %s", name, header)
				}
				switch {
				case canonical == "remote-user", canonical == "remote-email":
					assert.Equal(t, []string{fronted.Bob}, values, name)
				case canonical == "remote-groups":
					assert.Equal(t, []string{"wiki-editors%2Cfinance"}, values, name)
				case canonical == "remote-name":
					assert.Equal(t, []string{""}, values, name)
				case canonical == "cookie":
					assert.Equal(t, []string{"theirs=1"}, values, name)
				case strings.HasPrefix(canonical, "remote-"), strings.HasPrefix(canonical, "x-") && header != "X-Original-Uri":
					for _, v := range values {
						assert.NotContains(t, v, "192.0.2.1", "%s: %s", name, header)
						assert.NotContains(t, v, "/assets", "%s: %s", name, header)
					}
				}
			}
			assert.Equal(t, fronted.Bob, got.Header.Get(userHeader), name)
			assert.Equal(t, "wiki-editors%2Cfinance", got.Header.Get("Remote-Groups"), name)
		}
		// A browser that has no cookies but those of the sign-in shows the application none.
		for _, target := range []string{"/page", "/assets/logo.svg"} {
			status, _, body := raw(t, w.Wiki, target, cookie)
			require.Equal(t, http.StatusOK, status)
			assert.NotContains(t, body, ourCookies, target)
		}
		// A public path has none of them.
		status, _, body := raw(t, w.Wiki, "/assets/logo.svg", "Remote-User: mallory", "Remote_User: mallory")
		require.Equal(t, http.StatusOK, status)
		assert.NotContains(t, body, "mallory")
		assert.Empty(t, fronted.Of(t, body).Header.Get(userHeader))
	})
}

// A path that programs read in different ways gets 403, and no headers of the client make another path of it (K16).
func TestPathsAgainstTheRules(t *testing.T) {
	behind(t, func(t *testing.T, w *fronted.World) {
		bob, _ := signedIn(t, w, w.Wiki, fronted.Bob)
		alice, _ := signedIn(t, w, w.Wiki, fronted.Alice)
		for _, target := range []string{"/admin", "/admin/users?x=/assets", "/%61dmin"} {
			status, _, body := raw(t, w.Wiki, target, alice)
			require.Equal(t, http.StatusOK, status, target)
			require.Equal(t, target, fronted.Of(t, body).Target, "the application reads the path that was checked")
			status, _, _ = raw(t, w.Wiki, target, bob)
			require.Equal(t, http.StatusForbidden, status, target)
			status, _, _ = raw(t, w.Wiki, target, bob, "X-Forwarded-Uri: /assets", "X-Original-URI: /assets",
				"X-Forwarded-Host: "+strings.TrimPrefix(w.Reports, "http://"), "X-Rewrite-Url: /assets")
			require.Equal(t, http.StatusForbidden, status, target)
		}
		for _, target := range []string{
			"/assets/../admin", "/assets/%2e%2e/admin", "/assets/.%2E/admin", "/assets/..%2fadmin", "/assets%2f..%2fadmin",
			"/assets/..;/admin", "/assets/..%3b/admin", "//admin", "/assets//../admin", "/./admin", `/assets\..\admin`,
			"/assets/..%5cadmin", "/assets/%252e%252e/admin", "/assets/..%252fadmin", "/admin;x", "/admin%00", "/admin%0a",
			"/assets/%c0%ae%c0%ae/admin", "/ADMIN", "/Admin/users", "/internal/x", "/INTERNAL", "/.meridian/..%2fadmin",
			"/.meridian/../admin", "/.meridian/%2e%2e/admin",
		} {
			for _, cookie := range []string{bob, alice} {
				status, _, body := raw(t, w.Wiki, target, cookie)
				require.Contains(t, []int{http.StatusForbidden, http.StatusBadRequest, http.StatusNotFound}, status,
					"%s: %s", target, body)
				require.NotContains(t, body, `"Application"`, target)
			}
		}
		// Another host in the request line, with this one's cookie. Only alice may open the reports.
		for _, other := range []string{w.Reports, w.Wiki} {
			_, _, body := raw(t, w.Wiki, other+"/", bob, "Host: "+strings.TrimPrefix(w.Wiki, "http://"))
			require.NotContains(t, body, `"Application":"reports"`)
		}
		status, _, _ := raw(t, w.Wiki, "/", bob, "Host: other.localhost")
		require.NotEqual(t, http.StatusForbidden, status)
	})
}

// Only a navigation is sent to sign in, and after it the user is where the deep link led, at this host (K16).
func TestDeepLinks(t *testing.T) {
	behind(t, func(t *testing.T, w *fronted.World) {
		deep := "/page/caf%C3%A9?q=a+b&c=%2F%26&rd=//evil.example"
		b := testkit.NewBrowser(t.Context())
		p, err := b.SignInAs(w.IdP, w.Wiki+deep, fronted.Alice)
		require.NoError(t, err)
		require.Equal(t, w.Wiki+deep, p.URL.String())
		require.Equal(t, deep, fronted.Of(t, p.Body).Target)

		for _, evil := range []string{
			"//evil.example", "https://evil.example/", `/\evil.example`, "/%2f/evil.example", "/a/../b",
		} {
			for _, name := range []string{"return_to", "rd", "target"} {
				for _, page := range []string{"/.meridian/enter", "/.meridian/login"} {
					fresh := testkit.NewBrowser(t.Context())
					p, err := fresh.SignInAs(w.IdP, w.Wiki+page+"?"+name+"="+evil, fronted.Alice)
					if err == nil { // else it started no sign-in
						require.Equal(t, w.Wiki+"/", p.URL.String(), "%s %s %s", page, name, evil)
					}
				}
			}
		}

		for name, header := range map[string][]string{
			"script": {"Accept: text/html", "Sec-Fetch-Mode: cors", "Sec-Fetch-Dest: empty"},
			"frame":  {"Accept: text/html", "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: iframe"},
			"API":    {"Accept: application/json"},
		} {
			status, h, _ := raw(t, w.Wiki, "/page", header...)
			require.Equal(t, http.StatusUnauthorized, status, name)
			require.Empty(t, h.Get("Location"), name)
			require.Empty(t, h.Values("Set-Cookie"), name)
		}
		status, h, _ := raw(t, w.Wiki, "/page", "Accept: text/html", "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: document")
		require.Equal(t, http.StatusSeeOther, status)
		require.Equal(t, "/.meridian/enter?return_to=%2Fpage", h.Get("Location"))
		require.Empty(t, h.Values("Set-Cookie"), "nothing is stored before the browser comes to the page")
	})
}

// Each application has its own rules. The sign-in at the second is silent, and signing out at one ends both.
func TestSeveralApplications(t *testing.T) {
	behind(t, func(t *testing.T, w *fronted.World) {
		_, b := signedIn(t, w, w.Wiki, fronted.Bob)
		p, err := b.SignInAs(w.IdP, w.Reports+"/q3", fronted.Bob)
		require.NoError(t, err)
		require.Equal(t, http.StatusForbidden, p.Status, "his group finance is not his group wiki-editors,finance")

		_, b = signedIn(t, w, w.Wiki, fronted.Alice)
		p, err = b.SignInAs(w.IdP, w.Reports+"/q3", fronted.Alice)
		require.NoError(t, err)
		require.Equal(t, "reports", fronted.Of(t, p.Body).Application)

		p, err = b.Open(w.Reports + "/.meridian/")
		require.NoError(t, err)
		require.Contains(t, p.Text(), fronted.Alice)
		form, ok := p.FormFor("/.meridian/logout")
		require.True(t, ok, p.Body)
		_, err = b.Submit(p, form, nil)
		require.NoError(t, err)
		for _, origin := range []string{w.Wiki, w.Reports} {
			b.Stay = func(to *url.URL) bool { return true }
			p, err = b.Open(origin + "/q3")
			require.NoError(t, err)
			require.Equal(t, http.StatusSeeOther, p.Status, "%s: %s", origin, p.Body)
			b.Stay = nil
		}
	})
}

// A path that needs a second factor sends the user to give it, and comes back. A script gets an error, and other paths
// stay open.
func TestStepUp(t *testing.T) {
	behind(t, func(t *testing.T, w *fronted.World) {
		cookie, b := signedIn(t, w, w.Wiki, fronted.Alice)
		status, h, _ := raw(t, w.Wiki, "/payroll", cookie)
		require.Equal(t, http.StatusUnauthorized, status)
		require.Contains(t, h.Get("WWW-Authenticate"), "insufficient_user_authentication")
		p, err := b.SignInAs(w.IdP, w.Wiki+"/payroll?month=11", fronted.Alice)
		require.NoError(t, err)
		require.Equal(t, "/payroll?month=11", fronted.Of(t, p.Body).Target)
		status, _, _ = raw(t, w.Wiki, "/page", cookie)
		require.Equal(t, http.StatusUnauthorized, status, "the step-up replaced the session")
	})
}

// Signing out at the identity provider ends the sessions here.
func TestLogoutFromTheIdentityProvider(t *testing.T) {
	behind(t, func(t *testing.T, w *fronted.World) {
		_, b := signedIn(t, w, w.Wiki, fronted.Alice)
		p, err := b.Go(testkit.Navigation{
			From: w.IdP.URL, Method: http.MethodPost, URL: w.IdP.URL + "/login/signout", User: true,
		})
		require.NoError(t, err)
		for forms := p.Forms(); len(forms) > 0 && strings.Contains(p.Body, "<script"); forms = p.Forms() {
			p, err = b.Submit(p, forms[0], nil) // as the page's script does
			require.NoError(t, err)
		}
		b.Stay = func(to *url.URL) bool { return true }
		p, err = b.Open(w.Wiki + "/page")
		require.NoError(t, err)
		require.Equal(t, http.StatusSeeOther, p.Status, p.Body)
	})
}

// A listener that other machines reach requires the proxy's secret, and then answers nothing without it.
func TestProxySecret(t *testing.T) {
	const secret = "0123456789abcdef0123456789abcdef"
	next := func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) }
	h := onlyFromProxy(secret, http.HandlerFunc(next))
	for want, values := range map[int][]string{
		http.StatusTeapot:    {secret},
		http.StatusForbidden: {secret, secret},
	} {
		r, err := http.NewRequest("GET", "/auth_request", nil)
		require.NoError(t, err)
		r.Header[secretHeader] = values
		w := &answer{}
		h.ServeHTTP(w, r)
		require.Equal(t, want, w.status)
	}
	require.NoError(t, checkSecret(secret))
	require.Error(t, checkSecret("short"))
	for listen, ok := range map[string]bool{
		"127.0.0.1:1": true, "[::1]:1": true, "localhost:1": true, "unix:/run/x": true, ":1": false, "0.0.0.0:1": false,
		"10.0.0.1:1": false,
	} {
		_, err := parse([]string{"-applications", "a", "-idp-metadata", "b", "-listen", listen}, new(bytes.Buffer))
		require.Equal(t, ok, err == nil, listen)
	}
}
