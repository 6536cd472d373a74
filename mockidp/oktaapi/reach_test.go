package oktaapi_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/meridian-saml/meridian/mockidp"
	"github.com/meridian-saml/meridian/mockidp/oktaapi"
)

// asked sends a request with headers to a handler, without a network.
func asked(h http.Handler, method, host, path string, headers map[string]string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, "http://localhost"+path, nil)
	r.Host = host
	for name, value := range headers {
		r.Header.Set(name, value)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

const secret = "a token of some length"

var withToken = map[string]string{"Authorization": "SSWS " + secret}

// A call that has the token may use any Host, such as the name of a container. Without it, and at the page, only the
// names of loopback and of Config.Hosts are served (DNS rebinding).
func TestHostsOfTokenAndPage(t *testing.T) {
	t.Parallel()
	idp := start(t, twoRegions())
	h := oktaapi.New(idp, oktaapi.Config{Token: secret, Hosts: []string{"mockidp"}})
	for host, named := range map[string]bool{
		"mockidp:8702": true, "MOCKIDP.": true, "rebound.evil.test": false, "": false,
	} {
		refused := func(status int) int {
			if named {
				return status
			}
			return http.StatusMisdirectedRequest
		}
		for _, path := range []string{"/api/v1/users", "/control/clock", "/t/a/api/v1/users", "/t/a/control/clock"} {
			assert.Equal(t, 200, asked(h, "GET", host, path, withToken).Code, "%q%s", host, path)
			wrong := map[string]string{"Authorization": "SSWS " + secret[1:]}
			assert.Equal(t, refused(401), asked(h, "GET", host, path, wrong).Code, "%q%s", host, path)
			assert.Equal(t, refused(401), asked(h, "GET", host, path, nil).Code, "%q%s", host, path)
		}
		for _, path := range []string{"/", "/t/a/", "/t/", "/assets/style.css", "/x/api/"} {
			w := asked(h, "GET", host, path, withToken)
			assert.Equal(t, named, w.Code != http.StatusMisdirectedRequest, "%q%s", host, path)
		}
	}
}

// A short token, such as one of the documentation, can be guessed by a page that rebinds its name.
func TestHostsWithAShortToken(t *testing.T) {
	t.Parallel()
	h := oktaapi.New(start(t, twoRegions()), oktaapi.Config{Token: "secret", Hosts: []string{"mockidp"}})
	short := map[string]string{"Authorization": "SSWS secret"}
	for host, want := range map[string]int{"localhost": 200, "mockidp": 200, "rebound.evil.test": 421} {
		assert.Equal(t, want, asked(h, "GET", host, "/api/v1/users", short).Code, host)
	}
}

func TestHealth(t *testing.T) {
	t.Parallel()
	idp := start(t, twoRegions())
	h := oktaapi.New(idp, oktaapi.Config{})
	for _, host := range []string{"localhost", "192.0.2.1:8702"} {
		w := asked(h, "GET", host, "/healthz", nil)
		assert.Equal(t, 200, w.Code)
		assert.Equal(t, "ok\n", w.Body.String())
		assert.Empty(t, w.Result().Cookies())
		assert.Equal(t, 200, asked(h, "HEAD", host, "/healthz", nil).Code)
	}
	assert.NotEqual(t, 200, asked(h, "POST", "localhost", "/healthz", nil).Code)
}

// Pages of Config.Origins may call the API with the token; those of others can't.
func TestOrigins(t *testing.T) {
	t.Parallel()
	idp := start(t, twoRegions())
	const runner, other = "http://runner.test:3000", "http://localhost:*"
	h := oktaapi.New(idp, oktaapi.Config{Token: secret, Origins: []string{runner, other}})
	for origin, ok := range map[string]bool{
		runner: true, "http://localhost:5173": true, "http://localhost": true,
		"https://localhost:5173": false, "http://localhost.evil.test:5173": false, "http://localhost:*": false,
		"http://runner.test": false, "http://runner.test:30001": false, "null": false, "": false, "*": false,
		"http://localhost:5173/": false, "http://a@localhost:5173": false,
	} {
		for _, path := range []string{"/api/v1/users", "/t/a/control/clock"} {
			preflight := asked(h, "OPTIONS", "localhost", path, map[string]string{"Origin": origin,
				"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization,content-type"})
			call := asked(h, "GET", "localhost", path, map[string]string{"Origin": origin, "Authorization": "SSWS " + secret})
			refused := asked(h, "GET", "localhost", path, map[string]string{"Origin": origin})
			assert.Equal(t, []int{200, 401}, []int{call.Code, refused.Code})
			want := ""
			if ok {
				want = origin
				assert.Equal(t, 204, preflight.Code, origin)
				assert.Equal(t, "Authorization, Content-Type, Accept", preflight.Header().Get("Access-Control-Allow-Headers"))
				assert.Contains(t, preflight.Header().Get("Access-Control-Allow-Methods"), "DELETE")
			} else {
				assert.Equal(t, 401, preflight.Code, origin)
			}
			for _, w := range []*httptest.ResponseRecorder{preflight, call, refused} {
				assert.Equal(t, want, w.Header().Get("Access-Control-Allow-Origin"), origin)
				assert.Empty(t, w.Header().Get("Access-Control-Allow-Credentials"))
				assert.Equal(t, "Origin", w.Header().Get("Vary"))
			}
		}
		assert.Empty(t, asked(h, "GET", "localhost", "/", map[string]string{"Origin": origin}).Header().
			Get("Access-Control-Allow-Origin"), "the page isn't for other origins")
	}
	assert.Equal(t, http.StatusMisdirectedRequest, asked(h, "OPTIONS", "evil.test", "/api/v1/users",
		map[string]string{"Origin": runner, "Access-Control-Request-Method": "POST"}).Code)
	closed := oktaapi.New(idp, oktaapi.Config{Token: secret})
	w := asked(closed, "OPTIONS", "localhost", "/api/v1/users", map[string]string{"Origin": "http://localhost:5173",
		"Access-Control-Request-Method": "POST"})
	assert.Equal(t, 401, w.Code)
	assert.Empty(t, w.Header().Get("Access-Control-Allow-Origin"))
}

func TestCheckOrigin(t *testing.T) {
	t.Parallel()
	for _, good := range []string{"http://localhost", "https://sp.example", "http://127.0.0.1:*", "http://[::1]:5173",
		"http://sp.localhost:*"} {
		assert.NoError(t, oktaapi.CheckOrigin(good), good)
	}
	for _, bad := range []string{"", "*", "null", "localhost:5173", "http://", "http://localhost/", "http://LOCALHOST",
		"http://sp.example:*", "http://localhost:1:*", "http://*", "http://*.localhost", "ftp://localhost",
		"http://a@localhost", "http://localhost?x", "http://localhost:", "http://192.0.2.1:*"} {
		assert.ErrorContains(t, oktaapi.CheckOrigin(bad), "want an origin", "%q", bad)
		assert.Panics(t, func() { oktaapi.New(must(mockidp.Open(twoRegions())), oktaapi.Config{Origins: []string{bad}}) })
	}
}
