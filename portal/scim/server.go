package scim

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

const (
	contentType = "application/scim+json" // RFC 7644 8.1
	maxQuery    = 8 << 10                 // bytes
)

// An answer is the response to an accepted request.
type answer struct {
	status   int
	body     any // nil: none
	location string
}

// A call is one request and its parsed parts.
type call struct {
	w     http.ResponseWriter
	r     *http.Request
	token Token
	id    string // from the path, or ""
	query url.Values
	pick  selection
}

// filter returns the query's filter, or nil. Some clients send an empty one.
func (c *call) filter() string { return strings.Trim(c.query.Get("filter"), " ") }

// ServeHTTP implements http.Handler. It checks the token first and reads the body last, so a request without a valid
// token is answered with 401 and no other information.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	out, idp, err := s.serve(w, r)
	level := slog.LevelDebug
	var refusal []slog.Attr
	switch {
	case err != nil:
		out, level = err.answer(), slog.LevelWarn
		if err.Reason == ReasonInternal || err.Reason == ReasonUnavailable {
			level = slog.LevelError
		}
		refusal = []slog.Attr{slog.String("reason", string(err.Reason)), slog.String("error", err.Error())}
	case r.Method != http.MethodGet:
		level = slog.LevelInfo
	}
	attrs := []slog.Attr{
		slog.String("method", r.Method), slog.String("path", r.URL.Path), slog.Int("status", out.status),
	}
	if idp != "" {
		attrs = append(attrs, slog.String("idp", idp))
	}
	s.cfg.Logger.LogAttrs(r.Context(), level, "scim: request", append(attrs, refusal...)...)
	write(w, out)
}

// serve returns the token's identity provider too, for the log.
func (s *Server) serve(w http.ResponseWriter, r *http.Request) (out *answer, idp string, err *Error) {
	token, err := s.authenticate(w, r)
	if err == nil {
		err = s.primaryOnly()
	}
	if err == nil {
		_, err = s.state(token) // also for endpoints that need none
	}
	var c *call
	if err == nil {
		c, err = newCall(w, r)
	}
	if err == nil {
		c.token = token
		out, err = s.route(c)
	}
	return out, token.IdentityProvider, err
}

func newCall(w http.ResponseWriter, r *http.Request) (*call, *Error) {
	if len(r.URL.RawQuery) > maxQuery {
		return nil, refuse(ReasonTooLarge, "query", "at most 8192 bytes", "")
	}
	// A malformed parameter must not be dropped: a search without its filter would return all resources.
	q, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, refuse(ReasonInvalidValue, "query", "a well-formed query", r.URL.RawQuery)
	}
	for name, values := range q {
		if len(values) > 1 {
			return nil, refuse(ReasonInvalidValue, "query", "each parameter once", name)
		}
	}
	pick := selection{names(q.Get("attributes")), names(q.Get("excludedAttributes"))}
	return &call{w: w, r: r, query: q, pick: pick}, nil
}

// methods are the methods of an endpoint.
type methods map[string]func(*call) (*answer, *Error)

// route splits the path itself: an ID may hold an escaped slash, and no request is redirected.
func (s *Server) route(c *call) (*answer, *Error) {
	rest, ok := strings.CutPrefix(c.r.URL.EscapedPath(), s.prefix+"/")
	if !ok {
		return nil, refuse(ReasonNotFound, "path", "one below "+s.base, c.r.URL.Path)
	}
	endpoint, id, hasID := strings.Cut(strings.TrimSuffix(rest, "/"), "/")
	id, err := url.PathUnescape(id)
	if err != nil || (hasID && id == "") {
		return nil, refuse(ReasonNotFound, "path", "an endpoint", c.r.URL.Path)
	}
	c.id = id
	switch {
	case id == ".search" || rest == ".search" || endpoint == "Bulk" || endpoint == "Me" || rest == "":
		return nil, &Error{Reason: ReasonNotImplemented, Detail: "this endpoint is not supported"}
	case endpoint == "Users":
		return c.dispatch(s.users().methods(hasID))
	case endpoint == "Groups":
		return c.dispatch(s.groups().methods(hasID))
	case endpoint == "ServiceProviderConfig" && !hasID:
		return c.dispatch(methods{"GET": s.providerConfig})
	case endpoint == "ResourceTypes":
		return c.dispatch(methods{"GET": s.resourceTypes})
	case endpoint == "Schemas":
		return c.dispatch(methods{"GET": s.schemas})
	}
	return nil, refuse(ReasonNotFound, "path", "an endpoint", c.r.URL.Path)
}

func (c *call) dispatch(m methods) (*answer, *Error) {
	f, ok := m[c.r.Method]
	if !ok {
		allowed := []string{"GET", "POST", "PUT", "PATCH", "DELETE"}
		allowed = slices.DeleteFunc(allowed, func(name string) bool { return m[name] == nil })
		allow := strings.Join(allowed, ", ")
		c.w.Header().Set("Allow", allow)
		return nil, refuse(ReasonMethod, "method", allow, c.r.Method)
	}
	// Resources have no versions, so the condition can't be checked. A write without the check could overwrite a change
	// that the client doesn't know.
	if v := c.r.Header.Get("If-Match"); c.r.Method != http.MethodGet && v != "" && v != "*" {
		return nil, refuse(ReasonPrecondition, "If-Match", "none: resources have no versions", v)
	}
	return f(c)
}

// read returns the whole body. A body that was cut off is refused.
func (s *Server) read(c *call) ([]byte, *Error) {
	if h := c.r.Header.Get("Content-Type"); h != "" {
		if t, _, err := mime.ParseMediaType(h); err != nil || (t != contentType && t != "application/json") {
			return nil, refuse(ReasonMediaType, "Content-Type", contentType, h)
		}
	}
	tooLarge := refuse(ReasonTooLarge, "body", "at most "+strconv.FormatInt(s.cfg.MaxBody, 10)+" bytes", "")
	if c.r.ContentLength > s.cfg.MaxBody {
		return nil, tooLarge
	}
	raw, err := io.ReadAll(http.MaxBytesReader(c.w, c.r.Body, s.cfg.MaxBody))
	var over *http.MaxBytesError
	switch {
	case errors.As(err, &over):
		return nil, tooLarge
	case err != nil:
		return nil, &Error{Reason: ReasonInvalidSyntax, Rule: "body", Want: "the complete body", Err: err}
	}
	return raw, nil
}

func write(w http.ResponseWriter, a *answer) {
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	if a.location != "" {
		h.Set("Location", a.location)
	}
	if a.body == nil {
		w.WriteHeader(a.status)
		return
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(a.body) // encoding maps, slices, strings and numbers can't fail
	h.Set("Content-Type", contentType)
	h.Set("Content-Length", strconv.Itoa(b.Len()))
	w.WriteHeader(a.status)
	_, _ = w.Write(b.Bytes())
}
