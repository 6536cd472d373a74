package middleware

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/acs/sessions"
	"github.com/meridian-saml/meridian/saml"
)

// logout is Paths.Logout: the sessions of the sign-in end here first, and then the identity provider is asked to end
// its own, if it can.
func (g *Guard) logout(w http.ResponseWriter, r *http.Request) {
	acs.SetPageHeaders(w.Header())
	if acs.CheckSignOut(r) != nil {
		g.region.StartLogout(w, r, acs.LogoutOptions{}) // refuses it
		return
	}
	s, why := g.endHere(r)
	if why != nil { // the cookie stays, so that the user can try again
		g.refuse(w, r, why)
		return
	}
	clearCookie(w, g.cfg.CookieName)
	g.dropPending(w, r)
	of := s.Proof.Subject
	binding := g.logoutBinding(r, of)
	if s.UserName != "" {
		g.cfg.Logger.InfoContext(r.Context(), "middleware: signed out",
			"user", s.UserName, "single_logout", binding != "")
	}
	if binding == "" {
		g.region.SignedOut(w, r, &acs.LoggedOut{IdP: of.Provider})
		return
	}
	g.region.StartLogout(w, r, acs.LogoutOptions{
		IdP: of.Provider, NameID: saml.NameID(of.NameID), SessionIndexes: s.Proof.SessionIndexes, Binding: binding,
	})
}

// dropPending makes the browser forget its pending sign-ins, which would begin sessions after it has signed out: in
// another tab, in front of the question of ask.
func (g *Guard) dropPending(w http.ResponseWriter, r *http.Request) {
	for _, c := range r.Cookies() {
		// Another program's cookie can begin with that name, too.
		if tag, ok := strings.CutPrefix(c.Name, g.pendingCookie("")); ok && isName(tag) {
			clearCookie(w, c.Name)
		}
	}
}

// endHere ends the sign-in of the browser's session, and returns the session, or the zero Session.
func (g *Guard) endHere(r *http.Request) (sessions.Session, *Error) {
	key, s, err := g.kept(r)
	if all, ok := g.cfg.Sessions.(sessions.CatchUp); ok && errors.Is(err, sessions.ErrNoSession) {
		// Another node of the Region may have made it a moment ago.
		if err = all.CatchUp(r.Context()); err == nil {
			key, s, err = g.kept(r)
		}
	}
	if errors.Is(err, sessions.ErrNoSession) {
		return sessions.Session{}, nil
	}
	if err == nil {
		err = g.endSignIn(r.Context(), s)
	}
	if err == nil {
		err = g.cfg.Sessions.End(r.Context(), key)
	}
	if err != nil {
		return sessions.Session{}, unavailable("end of the session", err)
	}
	return s, nil
}

// logoutBinding returns how a subject's identity provider can be asked to end its session, or "". Through the browser
// the answer arrives at a logout URL with this host, because it needs this host's cookie. Otherwise it is
// asked by SOAP.
func (g *Guard) logoutBinding(r *http.Request, s sessions.Subject) string {
	idp, err := g.cfg.SP.IdP(s.Provider)
	if err != nil || s.NameID.Value == "" {
		return ""
	}
	var bindings []string
	for _, e := range g.cfg.SP.Logout() {
		if e.Region != g.cfg.Region {
			continue
		}
		if u, err := url.Parse(e.URL); err == nil && strings.EqualFold(u.Host, r.Host) {
			bindings = []string{saml.HTTPRedirect, saml.HTTPPost, saml.SOAP}
			break
		}
		bindings = []string{saml.SOAP}
	}
	for _, binding := range bindings {
		offers := func(s saml.LogoutService) bool { return s.Binding == binding }
		if slices.ContainsFunc(idp.LogoutServices(), offers) {
			return binding
		}
	}
	return ""
}

// endSubject is the consumer's EndSessions: an identity provider ends the sessions that its LogoutRequest names,
// including those that begin later with an assertion that it names (SAML Core 3.7.3.1).
func (g *Guard) endSubject(ctx context.Context, l *saml.VerifiedLogoutRequest) (saml.LogoutStatus, error) {
	subject := sessions.Subject{
		Provider: l.IdP(), ServiceProvider: g.cfg.SP.EntityID(), NameID: sessions.NameID(l.NameID()),
	}
	// Until then no session that the request ends can be alive: an assertion issued at its end, by a clock that is ahead,
	// arrives MaxAge later, waits for the user, and begins a session.
	until := l.NotOnOrAfter().Add(
		g.cfg.SP.MaxAge() + 2*g.cfg.SP.Skew() + pendingLifetime + g.cfg.SessionLifetime + time.Hour)
	ended, err := g.cfg.Sessions.EndSubject(ctx, sessions.Logout{
		Subject: subject, SessionIndexes: l.SessionIndexes(), Issued: l.IssueInstant(), NotOnOrAfter: l.NotOnOrAfter(),
		Until: until,
	})
	if err != nil {
		return saml.LogoutFailed, err
	}
	g.cfg.Logger.InfoContext(ctx, "middleware: signed out by the identity provider",
		"idp", l.IdP(), "sessions", len(ended))
	others := func(e saml.Endpoint) bool { return e.Region != g.cfg.Region }
	if !g.cfg.AllRegions && slices.ContainsFunc(g.cfg.SP.ACS(), others) ||
		(sessions.Proof{Subject: subject}).Bounded().Subject != subject { // sessions don't have a name that is too long
		return saml.LogoutPartial, nil
	}
	return saml.LogoutSuccess, nil
}
