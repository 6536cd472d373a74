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
	"strconv"
	"strings"
)

// contentType is RFC 7644 8.1's.
const contentType = "application/scim+json"

// maxQuery caps the query of a URL.
const maxQuery = 8 << 10

// An answer is what a request gets when nothing is refused.
type answer struct {
	status   int
	body     any // nil: none
	location string
}

// A call is one request on its way.
type call struct {
	w     http.ResponseWriter
	r     *http.Request
	id    string // from the path; empty: none
	query url.Values
	pick  selection
}

// ServeHTTP implements http.Handler. The token comes first and the body last:
// what has no token learns nothing but that, and is not read.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	out, err := s.serve(w, r)
	level, status := slog.LevelDebug, 0
	if err == nil {
		status = out.status
		if r.Method != http.MethodGet {
			level = slog.LevelInfo
		}
	} else {
		level, status = slog.LevelWarn, err.status()
		if err.Reason == ReasonInternal || err.Reason == ReasonUnavailable {
			level = slog.LevelError
		}
	}
	attrs := []slog.Attr{slog.String("method", r.Method), slog.String("path", r.URL.Path), slog.Int("status", status)}
	if err != nil {
		attrs = append(attrs, slog.String("reason", string(err.Reason)), slog.String("error", err.Error()))
		out = err.answer()
	}
	s.cfg.Logger.LogAttrs(r.Context(), level, "scim: request", attrs...)
	write(w, out)
}

func (s *Server) serve(w http.ResponseWriter, r *http.Request) (*answer, *Error) {
	if err := s.authenticate(w, r); err != nil {
		return nil, err
	}
	if err := s.primaryOnly(); err != nil {
		return nil, err
	}
	c, err := newCall(w, r)
	if err != nil {
		return nil, err
	}
	return s.route(c)
}

func newCall(w http.ResponseWriter, r *http.Request) (*call, *Error) {
	if len(r.URL.RawQuery) > maxQuery {
		return nil, refuse(ReasonTooLarge, "query", "at most 8192 bytes", "")
	}
	// A parameter that can't be read must not be dropped: without its filter,
	// a search finds everything.
	q, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, refuse(ReasonInvalidValue, "query", "one that can be read", r.URL.RawQuery)
	}
	for name, values := range q {
		if len(values) > 1 {
			return nil, refuse(ReasonInvalidValue, "query", "each parameter once", name)
		}
	}
	return &call{w: w, r: r, query: q, pick: selection{names(q.Get("attributes")), names(q.Get("excludedAttributes"))}}, nil
}

// methods are what an endpoint answers to.
type methods map[string]func(*call) (*answer, *Error)

// route takes the path apart itself: an ID may hold an escaped slash, and no
// request is answered with a redirect.
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
	var m methods
	switch {
	case id == ".search" || rest == ".search" || endpoint == "Bulk" || endpoint == "Me" || rest == "":
		return nil, &Error{Reason: ReasonNotImplemented, Detail: "this endpoint is not supported"}
	case endpoint == "Users":
		m = s.users().methods(hasID)
	case endpoint == "Groups":
		m = s.groups().methods(hasID)
	case endpoint == "ServiceProviderConfig" && !hasID:
		m = methods{"GET": s.providerConfig}
	case endpoint == "ResourceTypes":
		m = methods{"GET": s.resourceTypes}
	case endpoint == "Schemas":
		m = methods{"GET": s.schemas}
	default:
		return nil, refuse(ReasonNotFound, "path", "an endpoint", c.r.URL.Path)
	}
	return c.answer(m)
}

func (c *call) answer(m methods) (*answer, *Error) {
	f, ok := m[c.r.Method]
	if !ok {
		var allow []string
		for _, name := range []string{"GET", "POST", "PUT", "PATCH", "DELETE"} {
			if m[name] != nil {
				allow = append(allow, name)
			}
		}
		c.w.Header().Set("Allow", strings.Join(allow, ", "))
		return nil, refuse(ReasonMethod, "method", strings.Join(allow, ", "), c.r.Method)
	}
	// There are no versions here, so a condition on one can't hold. To write
	// all the same would be to undo what the client wanted to keep.
	if v := c.r.Header.Get("If-Match"); c.r.Method != http.MethodGet && v != "" && v != "*" {
		return nil, refuse(ReasonPrecondition, "If-Match", "none: resources have no versions", v)
	}
	return f(c)
}

// read returns the whole body. What was cut off on the way is never used.
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
		return nil, &Error{Reason: ReasonInvalidSyntax, Rule: "body", Want: "all of it", Err: err}
	}
	return raw, nil
}

// answer is the error as a client gets it (RFC 7644 3.12).
func (e *Error) answer() *answer {
	body := map[string]any{
		"schemas": []string{schemaError},
		"status":  strconv.Itoa(e.status()),
		"detail":  e.detail(),
	}
	if t := e.scimType(); t != "" {
		body["scimType"] = t
	}
	return &answer{status: e.status(), body: body}
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
	_ = enc.Encode(a.body) // maps, slices, strings, numbers: it can't fail
	h.Set("Content-Type", contentType)
	h.Set("Content-Length", strconv.Itoa(b.Len()))
	w.WriteHeader(a.status)
	_, _ = w.Write(b.Bytes())
}
