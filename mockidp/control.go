package mockidp

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
)

// maxControl is how many bytes a body of the control API may have.
const maxControl = 1 << 20

// Control is how the Server is run from outside: Okta's API for users, groups,
// apps, assignments and keys under /api/v1/, what a test needs besides under
// /control/, and a page for people at /. It has a listener of its own, never
// the one that people sign in at, and serves nothing but requests whose Host is
// a name of this machine, so that no page elsewhere can reach it by DNS.
//
// Programs send "Authorization: SSWS " and the token; people type the token
// into the page.
func (s *Server) Control() http.Handler {
	mux := http.NewServeMux()
	api := func(pattern string, h func(*call) *apiError) {
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
	s.adminRoutes(mux)
	own := onlyHosts(Loopback, "this is for requests to a name of this machine, such as localhost", mux)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy("'self'"))
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cache-Control", "no-store")
		own.ServeHTTP(w, r)
	})
}

// ControlToken is Config.ControlToken, or the random one in its place.
func (s *Server) ControlToken() string {
	s.control.Do(func() {
		if s.config.ControlToken == "" {
			s.config.ControlToken = rand.Text() // not Config.Rand: a Seed must not make it known
		}
	})
	return s.config.ControlToken
}

// call is one request of the API.
type call struct {
	w    http.ResponseWriter
	r    *http.Request
	base string // what links begin with
}

func (s *Server) serveAPI(w http.ResponseWriter, r *http.Request, h func(*call) *apiError) {
	id, err := s.newID()
	if err != nil {
		http.Error(w, "mockidp: the random source failed", http.StatusInternalServerError)
		return
	}
	w.Header().Set("X-Okta-Request-Id", id)
	c := &call{w: w, r: r, base: "http://" + r.Host}
	if r.TLS != nil {
		c.base = "https://" + r.Host
	}
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	fault := errToken
	if strings.EqualFold(scheme, "SSWS") && same(s.ControlToken(), strings.TrimSpace(token)) {
		fault = h(c)
	}
	if fault != nil {
		s.config.Logger.Info("mockidp: control refused", "method", r.Method, "path", cut(r.URL.Path), "code", fault.Code)
		fault.write(w, id)
	}
}

// read decodes the body, which may be missing where that is allowed.
func (c *call) read(into any, optional bool) *apiError {
	b, err := io.ReadAll(http.MaxBytesReader(c.w, c.r.Body, maxControl))
	var long *http.MaxBytesError
	switch {
	case errors.As(err, &long):
		return &apiError{Status: http.StatusRequestEntityTooLarge, Code: "E0000003", Summary: "The request body was too large."}
	case err != nil:
		return badBody(err)
	case optional && len(strings.TrimSpace(string(b))) == 0:
		return nil
	}
	if err := json.Unmarshal(b, into); err != nil {
		return badBody(err)
	}
	if !strings.HasPrefix(c.r.URL.Path, "/control/") {
		return nil
	}
	// Okta passes over what it doesn't know. Here a slip of the pen would make
	// an attack on one person one on everybody.
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return badBody(err)
	}
	return nil
}

// answer writes v as JSON.
func (c *call) answer(status int, v any) *apiError {
	b, err := json.Marshal(v)
	if err != nil {
		return &apiError{Status: 500, Code: "E0000009", Summary: "Internal Server Error"}
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
