package middleware

import (
	"errors"
	"net/http"

	"github.com/meridian-saml/meridian/acs/sessions"
)

// Load is a middleware for pages that are for everyone: next serves all requests, and From returns the session of a
// signed-in user, or nil. If Sessions can't answer, the request gets 503, so that a page never shows a signed-in user
// as signed out. It marks the responses with "Cache-Control: no-store", which next can replace.
func (g *Guard) Load(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		v, err := g.current(r)
		var why *Error
		switch {
		case err == nil:
			r = r.WithContext(With(r.Context(), v.Session))
		case !errors.Is(err, sessions.ErrNoSession):
			errors.As(err, &why)
			g.refuse(w, r, why)
			return
		}
		next.ServeHTTP(w, r)
	})
}
