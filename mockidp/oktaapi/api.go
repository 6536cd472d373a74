// Package oktaapi runs a mockidp.Server from outside: an HTTP API in the shapes
// of Okta's for users, groups, apps, assignments and keys, and a page for people
// with a viewer that explains SAML messages. Like mockidp it is NOT FOR
// PRODUCTION.
//
//	api := oktaapi.New(idp, oktaapi.Config{})
//	srv := &http.Server{Addr: "127.0.0.1:8702", Handler: api, ReadHeaderTimeout: 10 * time.Second}
//	fmt.Println(api.Token()) // what callers have to show
//
// Under /api/v1/users, /groups and /apps are the shapes of Okta's API, with
// their lifecycles, assignments, keys, times and errors, so that Okta's own
// clients work. An app signs with the key that its credentials.signing.kid
// names. Times are those of the Server's clock. Lists take filter and search
// with all of SCIM's operators, and, or, not and parentheses (Okta refuses some
// of these in some places: ne, ew and not, and more than one comparison for
// apps); sortBy and sortOrder go with search.
//
// Under /control/ is what a test needs besides: reset, clock, queue, faults,
// messages (with wait, which waits for one), deliver, attack (for the next
// answer), attacks (those that are switched on), keys.
//
// At / is the page.
package oktaapi

import (
	"bytes"
	"cmp"
	"crypto/rand"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"html/template"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"

	"github.com/meridian-saml/meridian/mockidp"
)

// maxBody is how many bytes the body of a request may have.
const maxBody = 1 << 20

// Config says who may use the API.
type Config struct {
	// Token is what callers have to show. Zero: a random one; API.Token returns
	// it.
	Token string
	// Logger hears about requests that are refused. Zero: nothing is logged.
	Logger *slog.Logger
}

// API is the API and the page, as an http.Handler. Programs send
// "Authorization: SSWS " and the token; people type the token into the page.
//
// It is for a listener of its own, never the one that people sign in at, and
// serves nothing but requests whose Host is a name of this machine, so that no
// page elsewhere can reach it by DNS.
type API struct {
	idp     *mockidp.Server
	token   string
	logger  *slog.Logger
	pages   map[string]*template.Template
	handler http.Handler
}

// New makes an API that runs idp.
func New(idp *mockidp.Server, c Config) *API {
	// The token isn't from mockidp.Config.Rand: a Seed must not make it known.
	s := &API{idp: idp, token: cmp.Or(c.Token, rand.Text()), logger: cmp.Or(c.Logger, slog.New(slog.DiscardHandler)), pages: parsePages()}
	mux := http.NewServeMux()
	api := func(pattern string, h handler) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) { s.serveAPI(w, r, h) })
	}
	s.userRoutes(api)
	s.groupRoutes(api)
	s.appRoutes(api)
	s.keyRoutes(api)
	s.extraRoutes(api)
	for _, under := range []string{"/api/", "/control/"} {
		api(under, func(c *call) *apiError { return notFound(c.r.URL.Path, "Endpoint") })
	}
	s.pageRoutes(mux)
	s.handler = mux
	return s
}

// Token returns Config.Token, or the random one in its place.
func (s *API) Token() string { return s.token }

// ServeHTTP serves the API and the page.
func (s *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "no-store")
	if !mockidp.IsLoopback((&url.URL{Host: r.Host}).Hostname()) {
		http.Error(w, "oktaapi: this is for requests to a name of this machine, such as localhost", http.StatusMisdirectedRequest)
		return
	}
	s.handler.ServeHTTP(w, r)
}

// call is one request of the API.
type call struct {
	w    http.ResponseWriter
	r    *http.Request
	base string // what links begin with
}

// handler answers a call, or returns what is wrong with it.
type handler = func(*call) *apiError

func (s *API) serveAPI(w http.ResponseWriter, r *http.Request, h handler) {
	id := "req" + rand.Text()
	w.Header().Set("X-Okta-Request-Id", id)
	c := &call{w: w, r: r, base: "http://" + r.Host}
	if r.TLS != nil {
		c.base = "https://" + r.Host
	}
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	fault := errToken
	if strings.EqualFold(scheme, "SSWS") && same(s.token, strings.TrimSpace(token)) {
		fault = h(c)
	}
	if fault != nil {
		s.logger.Info("oktaapi: refused", "method", r.Method, "path", cut(r.URL.Path), "code", fault.Code)
		fault.write(w, id)
	}
}

// withBody makes a handler of one that gets the body of the request.
func withBody[T any](h func(*call, T) *apiError) handler {
	return func(c *call) *apiError {
		var body T
		if err := c.read(&body); err != nil {
			return err
		}
		return h(c, body)
	}
}

// read decodes the body.
func (c *call) read(into any) *apiError {
	b, err := io.ReadAll(http.MaxBytesReader(c.w, c.r.Body, maxBody))
	var long *http.MaxBytesError
	if errors.As(err, &long) {
		return &apiError{Status: http.StatusRequestEntityTooLarge, Code: "E0000003", Summary: "The request body was too large."}
	}
	if err == nil {
		err = json.Unmarshal(b, into)
	}
	if err == nil && strings.HasPrefix(c.r.URL.Path, "/control/") {
		// Okta passes over what it doesn't know. Here a slip of the pen would
		// make an attack on one person one on everybody.
		d := json.NewDecoder(bytes.NewReader(b))
		d.DisallowUnknownFields()
		err = d.Decode(into)
	}
	if err != nil {
		return badBody(err)
	}
	return nil
}

// answer writes v as JSON.
func (c *call) answer(status int, v any) *apiError {
	b, err := json.Marshal(v)
	if err != nil {
		return internal(err.Error())
	}
	c.w.Header().Set("Content-Type", "application/json")
	c.w.WriteHeader(status)
	_, _ = c.w.Write(b)
	return nil
}

func (c *call) ok(v any) *apiError { return c.answer(http.StatusOK, v) }

func (c *call) noContent() *apiError {
	c.w.WriteHeader(http.StatusNoContent)
	return nil
}

// link is one of Okta's _links.
func (c *call) link(path string, allow ...string) map[string]any {
	l := map[string]any{"href": c.base + path}
	if len(allow) > 0 {
		l["hints"] = map[string]any{"allow": allow}
	}
	return l
}

// same compares in constant time; a mock, but one that people copy from.
func same(want, got string) bool { return subtle.ConstantTimeCompare([]byte(want), []byte(got)) == 1 }
