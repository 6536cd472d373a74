package oidc

import (
	"cmp"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/meridian-saml/meridian/portal"
	"github.com/meridian-saml/meridian/portal/awsapi"
)

const (
	pathAuthorize = "/authorize"
	maxQuery      = 8 << 10
	maxState      = 512
)

// authorize is where a program sends the user's browser (RFC 6749 4.1.1, with PKCE, RFC 7636 4.3). It checks the
// request and sends the browser to the portal, where the session is. It stores nothing.
//
// A wrong client or redirect URI shows a page. Other mistakes are the program's, and go to its redirect URI.
func (s *Server) authorize(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		s.refusePage(w, r, http.StatusMethodNotAllowed, newError(ReasonInput, "method", "GET", r.Method))
		return
	}
	if err := s.limit(r, s.limits.authorize); err != nil {
		s.refusePage(w, r, http.StatusTooManyRequests, newError(ReasonOften, "requests of an address", "fewer", ""))
		return
	}
	q, why := parameters(r.URL.RawQuery)
	if why != nil {
		s.refusePage(w, r, http.StatusBadRequest, why)
		return
	}
	client, err := s.openClient(r.Context(), q.Get("client_id"))
	if err != nil {
		s.refusePage(w, r, pageStatus(err), causeOf(err))
		return
	}
	to := q.Get("redirect_uri")
	if !client.may(grantCode) || !client.isRedirect(to) {
		s.refusePage(w, r, http.StatusBadRequest, newError(ReasonRedirect, "redirect_uri", "a registered one", to))
		return
	}
	asked, x, why := askedFor(client, q)
	if why != nil {
		s.cfg.Logger.InfoContext(r.Context(), "oidc: refused", "region", s.cfg.Portal.Region(), "reason", why.Error())
		noReferrer(w)
		http.Redirect(w, r, redirectWith(to, withState(url.Values{
			"error": {x.oauth}, "error_description": {why.Rule + ": want " + why.Want},
		}, asked.State)), http.StatusSeeOther)
		return
	}
	asked.Client, asked.Redirect = fingerprint(q.Get("client_id")), to
	s.toPortal(w, r, client, asked)
}

// toPortal sends the browser to the page on which the user answers.
func (s *Server) toPortal(w http.ResponseWriter, r *http.Request, client registration, asked request) {
	origin, why := s.portalFor(client.StartURL)
	if why != nil {
		s.refusePage(w, r, http.StatusBadRequest, why)
		return
	}
	until := s.now().Add(requestLifetime)
	asked.Until = until.Unix()
	sealed, err := s.here.Seal(r.Context(), kindRequest, until, asked)
	switch {
	case err != nil:
		why := &Error{Reason: ReasonUnavailable, Rule: "seal of a request", Err: err}
		s.refusePage(w, r, http.StatusServiceUnavailable, why)
	case len(sealed) > maxRequest:
		s.refusePage(w, r, http.StatusBadRequest, newError(ReasonInput, "request", "a shorter name or state", ""))
	default:
		noReferrer(w)
		http.Redirect(w, r, origin+portal.PathClient+"?"+url.Values{"request": {sealed}}.Encode(), http.StatusSeeOther)
	}
}

func noReferrer(w http.ResponseWriter) {
	w.Header().Set("Referrer-Policy", "no-referrer")
	w.Header().Set("Cache-Control", "no-store")
}

// parameters reads a query in which no name occurs twice (RFC 6749 3.1).
func parameters(raw string) (url.Values, *Error) {
	if len(raw) > maxQuery {
		return nil, newError(ReasonInput, "query", "at most 8 KiB", "")
	}
	q, err := url.ParseQuery(raw)
	if err != nil {
		return nil, newError(ReasonInput, "query", "parameters with a valid encoding", "")
	}
	for name, values := range q {
		if len(values) > 1 {
			return nil, newError(ReasonInput, "query", "one value for each parameter", name)
		}
	}
	return q, nil
}

// askedFor checks what is the program's own concern.
func askedFor(client registration, q url.Values) (request, exception, *Error) {
	out := request{Name: client.Name, Scopes: client.granted(), Refresh: client.may(grantRefresh)}
	state := q.Get("state")
	if len(state) > maxState || strings.ContainsFunc(state, func(r rune) bool { return r < ' ' || r > '~' }) {
		return out, invalidRequest, newError(ReasonInput, "state", "at most 512 printable ASCII characters", "")
	}
	out.State, out.Challenge = state, q.Get("code_challenge")
	if q.Has("scopes") || q.Has("scope") {
		out.Scopes = strings.Fields(cmp.Or(q.Get("scopes"), q.Get("scope")))
	}
	switch {
	case q.Get("response_type") != "code":
		x := exception{oauth: "unsupported_response_type"}
		return out, x, newError(ReasonInput, "response_type", "code", "")
	case q.Get("code_challenge_method") != "S256":
		return out, invalidRequest, newError(ReasonInput, "code_challenge_method", "S256", "")
	case !isChallenge(out.Challenge):
		return out, invalidRequest, newError(ReasonInput, "code_challenge", "43 characters of base64url", "")
	case len(out.Scopes) == 0 || !isSubset(out.Scopes, client.granted()):
		return out, invalidScope, newError(ReasonInput, "scopes", "scopes of the registration", "")
	}
	slices.Sort(out.Scopes)
	out.Scopes = slices.Compact(out.Scopes)
	return out, exception{}, nil
}

// isChallenge reports whether s can be a SHA-256 hash in base64url (RFC 7636 4.2).
func isChallenge(s string) bool {
	b, err := base64.RawURLEncoding.Strict().DecodeString(s)
	return err == nil && len(b) == 32 && len(s) == 43
}

// refusePage shows a page with a reference. The details are only in the log.
func (s *Server) refusePage(w http.ResponseWriter, r *http.Request, status int, why *Error) {
	reference := newReference()
	s.cfg.Logger.InfoContext(r.Context(), "oidc: refused", "region", s.cfg.Portal.Region(), "reference", reference,
		"status", status, "reason", why.Error())
	s.writePage(w, r, status, reference)
}

// pageStatus is the status of a page for an exception. A page isn't a challenge for credentials, so it has no 401.
func pageStatus(err error) int {
	var ex *awsapi.Exception
	if errors.As(err, &ex) && ex.Status >= 500 {
		return http.StatusServiceUnavailable
	}
	return http.StatusBadRequest
}

func causeOf(err error) *Error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	return &Error{Reason: ReasonUnavailable, Rule: "request", Err: err}
}

func newReference() string {
	var b [4]byte
	rand.Read(b[:])
	return strings.ToUpper(hex.EncodeToString(b[:]))
}

// limit returns an exception if the client's address makes too many requests.
func (s *Server) limit(r *http.Request, l *limiter) error {
	if l.allow(s.cfg.ClientAddr(r), s.now()) {
		return nil
	}
	return slowDown.with(newError(ReasonOften, "requests of an address", "fewer", ""))
}

var _ awsapi.Grants = (*Server)(nil)
var _ portal.Clients = (*Server)(nil)
