package oktaapi

import (
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/meridian-saml/meridian/mockidp"
)

// pathHealth answers probes, under any Host and without a token.
const pathHealth = "/healthz"

// health answers a probe and reports whether the request was one.
func health(w http.ResponseWriter, r *http.Request) bool {
	if r.URL.Path != pathHealth || r.Method != http.MethodGet && r.Method != http.MethodHead {
		return false
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = io.WriteString(w, "ok\n") // net/http drops it for HEAD
	return true
}

// isAPI reports whether a path is one of the API, also in a tenant, and not one of the page.
func isAPI(path string) bool {
	if rest, ok := strings.CutPrefix(path, pathTenants); ok {
		_, rest, _ = strings.Cut(rest, "/")
		path = "/" + rest
	}
	return strings.HasPrefix(path, "/api/") || strings.HasPrefix(path, "/control/")
}

// hasToken reports whether a request has the token in its header.
func (s *API) hasToken(r *http.Request) bool {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	return strings.EqualFold(scheme, "SSWS") && same(s.token, strings.TrimSpace(token))
}

// leastToken is how many characters a token must have to count in place of a known Host: a page can try the short ones
// that people type.
const leastToken = 16

// ownHost reports whether a request may have its Host. By DNS rebinding, a page of an attacker can give this machine's
// address another name and is then of the same origin. But it can't know a long token, so a call of the API that has it
// may use any name. The page has a cookie instead, and a form that takes guesses of the token.
func (s *API) ownHost(r *http.Request) bool {
	host := strings.TrimSuffix((&url.URL{Host: r.Host}).Hostname(), ".")
	is := func(own string) bool { return host != "" && strings.EqualFold(host, strings.TrimSuffix(own, ".")) }
	return mockidp.IsLoopback(host) || slices.ContainsFunc(s.hosts, is) ||
		len(s.token) >= leastToken && isAPI(r.URL.Path) && s.hasToken(r)
}

// CheckOrigin returns an error if a value can't be one of Config.Origins.
func CheckOrigin(origin string) error {
	fixed, anyPort := strings.CutSuffix(origin, ":*")
	u, err := url.Parse(fixed)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.Scheme+"://"+u.Host != fixed ||
		fixed != strings.ToLower(fixed) || strings.HasSuffix(fixed, ":") || strings.Contains(fixed, "*") {
		return fmt.Errorf("want an origin such as http://localhost:5173, in lower case and without a path, got %s",
			quote(origin))
	}
	if anyPort && (u.Port() != "" || !mockidp.IsLoopback(u.Hostname())) {
		return fmt.Errorf("want an origin with a port unless its name is a loopback one, got %s", quote(origin))
	}
	return nil
}

// allows reports whether Config.Origins has an origin.
func (s *API) allows(origin string) bool {
	u, err := url.Parse(origin)
	if err != nil || u.Scheme+"://"+u.Host != origin {
		return false
	}
	anyPort := u.Scheme + "://" + strings.TrimSuffix(u.Host, ":"+u.Port()) + ":*"
	return slices.Contains(s.origins, origin) || slices.Contains(s.origins, anyPort)
}

// cors lets pages of Config.Origins call the API. They have to send the token: no cookie counts for them, because the
// answers lack Access-Control-Allow-Credentials. It reports whether the request was a preflight, which it answers.
func (s *API) cors(w http.ResponseWriter, r *http.Request) bool {
	if len(s.origins) == 0 || !isAPI(r.URL.Path) {
		return false
	}
	h := w.Header()
	h.Add("Vary", "Origin")
	origin := r.Header.Get("Origin")
	if !s.allows(origin) {
		return false
	}
	h.Set("Access-Control-Allow-Origin", origin)
	h.Set("Access-Control-Expose-Headers", "Link, X-Okta-Request-Id")
	if r.Method != http.MethodOptions || r.Header.Get("Access-Control-Request-Method") == "" {
		return false
	}
	h.Set("Access-Control-Allow-Methods", "GET, HEAD, POST, PUT, DELETE")
	h.Set("Access-Control-Allow-Headers", "Authorization, Content-Type, Accept")
	h.Set("Access-Control-Max-Age", "600")
	w.WriteHeader(http.StatusNoContent)
	return true
}

// same compares in constant time, whatever the lengths.
func same(want, got string) bool {
	a, b := sha256.Sum256([]byte(want)), sha256.Sum256([]byte(got))
	return subtle.ConstantTimeCompare(a[:], b[:]) == 1
}
