package portal

import (
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/acs/sessions"
	"github.com/meridian-saml/meridian/saml"
)

// logoutBinding returns how a subject's identity provider can be asked to end its session. Through the browser the
// answer arrives at the logout URL with this host, because it needs this host's cookie. Otherwise the portal asks by
// SOAP. Empty: neither is possible.
func (p *Portal) logoutBinding(r *http.Request, subject sessions.Subject) string {
	idp, err := p.cfg.SP.IdP(subject.Provider)
	if err != nil || subject.NameID.Value == "" {
		return ""
	}
	var own []string
	for _, e := range p.cfg.SP.Logout() {
		if e.Region == p.cfg.Region {
			own = append(own, e.URL)
		}
	}
	bindings := []string{saml.SOAP}
	if at(r, origins(own)) != "" {
		bindings = []string{saml.HTTPRedirect, saml.HTTPPost, saml.SOAP}
	}
	for _, binding := range bindings {
		offers := func(s saml.LogoutService) bool { return s.Binding == binding }
		if len(own) > 0 && slices.ContainsFunc(idp.LogoutServices(), offers) {
			return binding
		}
	}
	return ""
}

// signOutAtIdP is the second part: it sends the identity provider a LogoutRequest, once.
func (p *Portal) signOutAtIdP(w http.ResponseWriter, r *http.Request) {
	if err := acs.CheckNavigation(r); err != nil { // before the record is taken
		p.refuse(w, r, &Error{Reason: ReasonNavigation, Rule: r.URL.Path, Want: "a navigation of a window", Err: err})
		return
	}
	o := signOutOf(r)
	b, err := []byte(nil), error(acs.ErrNotFound)
	if o.Secret != "" {
		b, err = p.cfg.Store.Take(r.Context(), signOutKey(o.Secret))
	}
	var proof sessions.Proof
	if err == nil {
		err = json.Unmarshal(b, &proof)
	}
	if err != nil && !errors.Is(err, acs.ErrNotFound) {
		p.refuse(w, r, unavailable("read of the sign-out", err))
		return
	}
	o.Secret = ""
	p.setSignOut(w, o)
	p.setResult(w, resultUntold) // until there is an answer
	if err != nil {              // it is used, or too old
		http.Redirect(w, r, pathSignedOut, http.StatusSeeOther)
		return
	}
	w.Header().Del("Content-Security-Policy") // the form to the provider has its own
	p.region.StartLogout(w, r, acs.LogoutOptions{
		IdP: proof.Subject.Provider, NameID: saml.NameID(proof.Subject.NameID), SessionIndexes: proof.SessionIndexes,
		Binding: p.logoutBinding(r, proof.Subject),
	})
}

// loggedOut is the consumer's OnLoggedOut: the identity provider has answered, or could not be asked.
func (p *Portal) loggedOut(w http.ResponseWriter, r *http.Request, l *acs.LoggedOut) {
	result := resultUntold
	switch {
	case l.Success:
		result = resultEnded
	case l.Partial:
		result = resultPartial
	}
	p.secure(w)
	p.log.InfoContext(r.Context(), "portal: signed out at the identity provider", "idp", l.IdP, "result", result,
		"status", strings.Join(l.Status, " "))
	p.setResult(w, result)
	http.Redirect(w, r, pathSignedOut, http.StatusSeeOther)
}

func (p *Portal) setResult(w http.ResponseWriter, result string) {
	p.setCookie(w, resultCookie, result, signOutLifetime)
}
