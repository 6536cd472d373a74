package middleware

import (
	"context"
	"errors"
	"net/http"

	"github.com/meridian-saml/meridian/saml"
)

// observe tells the Observer what became of an accepted response.
func (g *Guard) observe(ctx context.Context, identityProvider string, unsolicited bool, reason string) {
	if g.cfg.Observer != nil {
		g.cfg.Observer.ObserveSignIn(ctx, identityProvider, unsolicited, reason)
	}
}

// refuseSignIn refuses a pending sign-in. One that this browser does not have is not a sign-in.
func (g *Guard) refuseSignIn(w http.ResponseWriter, r *http.Request, in pending, why *Error) {
	if why.Reason != ReasonNotPending && in.Proof.Subject.Provider != "" {
		g.observe(r.Context(), in.Proof.Subject.Provider, in.Unsolicited, string(why.Reason))
	}
	g.refuse(w, r, why)
}

// reasonOf returns the Reason for a user whom Config.Admit refuses.
func reasonOf(err error) string {
	var e *saml.Error
	if errors.As(err, &e) {
		return string(e.Reason)
	}
	return string(ReasonForbidden)
}
