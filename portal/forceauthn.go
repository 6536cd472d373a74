package portal

import (
	"net/http"
	"time"

	"github.com/meridian-saml/meridian/acs"
)

const (
	// forceCookie makes the next sign-in of this host ask with ForceAuthn. It is SameSite=None, because a sign-in can
	// be restarted by the identity provider's POST.
	forceCookie   = "__Host-meridian-force-authn"
	forceLifetime = 30 * 24 * time.Hour
	forceQuery    = "force" // the same, in a handoff's address
)

// forceNext makes the next sign-in of this browser ask for a new authentication, if that is configured.
func (p *Portal) forceNext(w http.ResponseWriter) {
	if !p.cfg.ForceAuthnAfterSignOut {
		return
	}
	http.SetCookie(w, &http.Cookie{
		Name: forceCookie, Value: "1", Path: "/", MaxAge: int(forceLifetime / time.Second),
		Secure: true, HttpOnly: true, SameSite: http.SameSiteNoneMode,
	})
}

// asksForceAuthn reports whether the next sign-in of this browser must ask for a new authentication.
func (p *Portal) asksForceAuthn(r *http.Request) bool {
	_, err := r.Cookie(forceCookie)
	return err == nil && p.cfg.ForceAuthnAfterSignOut
}

// loginOptions are those of every sign-in that begins here.
func (p *Portal) loginOptions(r *http.Request) acs.LoginOptions {
	return acs.LoginOptions{ForceAuthn: p.asksForceAuthn(r)}
}
