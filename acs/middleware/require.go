package middleware

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/acs/sessions"
	"github.com/meridian-saml/meridian/saml"
)

// Requirement is what a path needs besides a session. The zero value is nothing.
type Requirement struct {
	// AuthnContext is how the user must have authenticated. A user who did otherwise is sent to the identity provider to
	// do so now. Nil: in any way.
	AuthnContext *saml.RequestedAuthnContext
	// MaxAuthnAge is how long ago the user may have authenticated, besides the allowed difference between clocks. A user
	// for whom it is longer is sent to the identity provider to authenticate again. Zero: any time. At least a minute.
	MaxAuthnAge time.Duration
	// Attributes are values by the Name of an attribute: of each, the user must have at least one. Other users get 403.
	Attributes map[string][]string
}

const minAuthnAge = time.Minute

// check returns an error with ReasonConfig.
func (q Requirement) check() error {
	if q.MaxAuthnAge < 0 || q.MaxAuthnAge > 0 && q.MaxAuthnAge < minAuthnAge {
		return badConfig("Requirement.MaxAuthnAge", "0, or at least "+minAuthnAge.String(), q.MaxAuthnAge.String())
	}
	return q.AuthnContext.Check()
}

// authenticated reports whether the sign-in of a session meets the requirement.
func (q Requirement) authenticated(s *Session, now time.Time, skew time.Duration) bool {
	if q.AuthnContext != nil && !q.AuthnContext.Allows(s.AuthnContext) {
		return false
	}
	return q.MaxAuthnAge == 0 || now.Sub(s.AuthnInstant) <= q.MaxAuthnAge+skew
}

// lacks returns the Name of an attribute of which a user has none of the values, or "".
func (q Requirement) lacks(s *Session) string {
	for name, want := range q.Attributes {
		if !slices.ContainsFunc(s.Values(name), func(got string) bool { return slices.Contains(want, got) }) {
			return name
		}
	}
	return ""
}

// Require is a middleware: next serves signed-in users, with their session in the context (see From). It marks the
// responses with "Cache-Control: no-store", which next can replace.
//
// A browser's navigation to a page (a GET that accepts HTML) is sent to the identity provider and comes back to its
// path, if [acs.LocalPath] accepts that, which has at most 2,048 bytes. A HEAD is sent to Paths.Login. Every other
// request gets 401 with WWW-Authenticate, no redirect and no record, so that a script can tell that the session has
// ended. Require doesn't check where a POST comes from: put next behind [http.CrossOriginProtection], but not what
// Mount registers.
func (g *Guard) Require(next http.Handler) http.Handler { return g.require(Requirement{}, next) }

// RequireWith is Require for a path that needs more. It panics if q is invalid. If the user has to authenticate again,
// a request that is no navigation gets 401 with the error insufficient_user_authentication. The answer of the identity
// provider must say what was asked for, else package acs refuses it. If another user answers, the session doesn't
// change before that user has agreed.
func (g *Guard) RequireWith(q Requirement) func(http.Handler) http.Handler {
	if err := q.check(); err != nil {
		panic(err)
	}
	return func(next http.Handler) http.Handler { return g.require(q, next) }
}

func (g *Guard) require(q Requirement, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		v, err := g.current(r)
		var why *Error
		switch {
		case errors.Is(err, sessions.ErrNoSession):
			g.start(w, r, q, nil)
		case errors.As(err, &why):
			g.refuse(w, r, why)
		case !q.authenticated(v.Session, g.now(), g.cfg.SP.Skew()):
			g.start(w, r, q, v)
		case q.lacks(v.Session) != "":
			g.refuse(w, r, &Error{Reason: ReasonForbidden, Rule: "attribute " + q.lacks(v.Session), Got: v.UserName})
		default:
			next.ServeHTTP(w, r.WithContext(With(r.Context(), v.Session)))
		}
	})
}

// start sends a browser to sign in, or again. v is its session, or nil.
func (g *Guard) start(w http.ResponseWriter, r *http.Request, q Requirement, v *visit) {
	form := v == nil && g.keepForm(r)
	switch {
	case !isPage(r) && !form:
		challenge := "SAML realm=" + quoted(g.cfg.SP.EntityID())
		if v != nil {
			challenge += `, error="insufficient_user_authentication"` // as in RFC 9470 3
		}
		w.Header().Set("WWW-Authenticate", challenge)
		g.unauthorized(w, r)
		return
	case r.Method == http.MethodHead:
		http.Redirect(w, r, g.cfg.Paths.Login, http.StatusSeeOther)
		return
	}
	var o acs.LoginOptions
	if g.cfg.LoginOptions != nil {
		o = g.cfg.LoginOptions(r)
	}
	if o.ReturnTo = acs.LocalPath(targetOf(r)); form {
		o.ReturnTo = "" // the path may have no page
	}
	if q.AuthnContext != nil {
		o.AuthnContext = q.AuthnContext
	}
	o.ForceAuthn = o.ForceAuthn || q.MaxAuthnAge > 0
	if idp := g.earlierIdP(r); idp != "" {
		o.IdP = idp
	}
	g.region.StartLogin(w, r, o)
}

// targetOf returns the target of a request as the browser sent it: a handler such as http.StripPrefix changes the URL.
func targetOf(r *http.Request) string {
	if strings.HasPrefix(r.RequestURI, "/") {
		return r.RequestURI
	}
	return r.URL.RequestURI() // of a test, or of an absolute URL in the request line
}

// earlierIdP returns the identity provider of the browser's session, also of an idle one, if there are several.
// Otherwise it is empty.
func (g *Guard) earlierIdP(r *http.Request) string {
	if !g.cfg.SP.HasIdPs() {
		return ""
	}
	_, s, err := g.kept(r)
	if err == nil {
		_, err = g.cfg.SP.IdP(s.Proof.Subject.Provider)
	}
	if err != nil {
		return ""
	}
	return s.Proof.Subject.Provider
}

// isPage reports whether a request loads a page in a window, as a user does.
func isPage(r *http.Request) bool {
	return (r.Method == http.MethodGet || r.Method == http.MethodHead) && acceptsHTML(r) &&
		r.Header.Get("X-Requested-With") == "" && r.Header.Get("Upgrade") == "" && acs.CheckNavigation(r) == nil
}

// acceptsHTML reports whether a client names HTML: browsers do, in navigations.
func acceptsHTML(r *http.Request) bool {
	accept := strings.ToLower(strings.Join(r.Header.Values("Accept"), ","))
	return strings.Contains(accept, "text/html") || strings.Contains(accept, "application/xhtml+xml")
}

// quoted returns a quoted-string (RFC 9110 5.6.4).
func quoted(s string) string { return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"` }
