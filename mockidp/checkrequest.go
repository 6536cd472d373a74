package mockidp

import (
	"regexp"
	"slices"
	"strings"
	"time"
)

// read checks a request as far as that needs no user, and adds it to the messages in any case. If app is nil, find
// returns the app that the request is for.
func (s *Server) read(app *App, in incoming, find func(*authnRequest) (*App, *Error)) (*App, pending, *Error) {
	p := pending{relayState: in.relayState, loginHint: in.loginHint, at: s.now()}
	if !in.has {
		if p.appID = app.ID; !in.hasRelay {
			p.relayState = app.DefaultRelayState
		}
		err := s.aim(app, &p, in)
		return p.in(app), p, err
	}
	m := Message{Time: p.at, Direction: Received, Binding: in.binding, RelayState: in.relayState}
	doc, err := in.xml()
	if err == nil {
		m.XML = doc
		p.req, err = parseAuthnRequest(doc)
	}
	if err == nil && app == nil {
		app, err = find(p.req)
	}
	if app != nil {
		p.appID, m.App = app.ID, app.ID
	}
	if err == nil {
		if p.req.ACSURL != nil {
			m.ACS = *p.req.ACSURL
		}
		if err = s.aim(app, &p, in); err == nil {
			app = p.in(app)
			err = s.checkRequest(app, &p, in, doc)
		}
	}
	m.Refused = err
	s.messages.add(m)
	if len(in.relayState) > 80 {
		s.config.Logger.Warn("mockidp: RelayState is over the 80 bytes of SAML Bindings 3.4.3",
			"bytes", len(in.relayState), "app", m.App)
	}
	return app, p, err
}

// checkRequest checks a request against the app (SAML Core 3.2.1, 3.4.1; Profiles 4.1.4.1). Where the app requires
// signed requests, p.req becomes the signed request.
func (s *Server) checkRequest(app *App, p *pending, in incoming, doc []byte) *Error {
	if app.SignedRequests {
		signed, err := app.verified(in, p.req.Enveloped, doc)
		if err != nil {
			return err
		}
		if p.req, err = parseAuthnRequest(signed); err != nil {
			return err
		}
		p.req.verified = true
	}
	req := p.req
	if err := s.checkIssuer(app, req); err != nil {
		return err
	}
	if app.Profile == Entra && req.Subject != nil {
		return errorf(ReasonSubject, "AADSTS900236: the request has a Subject, which Entra ID doesn't support; send "+
			"the NameID as the parameter login_hint instead")
	}
	if err := app.checkBinding(req); err != nil {
		return err
	}
	if req.Destination != "" && req.Destination != s.ssoURL(app) {
		return mismatch(ReasonDestination, s.ssoURL(app), req.Destination, "the request's Destination is another address")
	}
	if s.config.Strict {
		if err := s.strict(p, in); err != nil {
			return err
		}
	}
	if _, err := app.resolve(req); err != nil {
		return err
	}
	return app.checkNameIDPolicy(req, req.verified && s.config.Strict)
}

// checkFor checks a request, which is not signed, once more after the app has changed.
func (s *Server) checkFor(app *App, req *authnRequest) *Error {
	if err := s.checkIssuer(app, req); err != nil {
		return err
	}
	if _, err := app.resolve(req); err != nil {
		return err
	}
	return app.checkNameIDPolicy(req, false)
}

// checkIssuer compares the Issuer with the app's Audience. Profiles 4.1.4.1 wants an Issuer in every request and Core
// 3.2.1 in none. A request without one is accepted at the sign-on address of an app if it names a URL of the app's
// list: it is then clear which application asks, and the answer can go nowhere else.
func (s *Server) checkIssuer(app *App, req *authnRequest) *Error {
	missing := func(format string, args ...any) *Error {
		err := mismatch(ReasonIssuer, app.Audience, "", format, args...)
		err.Detail = "the AuthnRequest has no Issuer (SAML Profiles 4.1.4.1), " + err.Detail
		return err
	}
	switch {
	case app.Audience == "":
		return mismatch(ReasonIssuer, "", req.Issuer, "the app %s has no service provider yet: register one by its metadata "+
			"(-sp-metadata; RegisterSP in Go), the control API or the configuration", quote(app.Label))
	case req.HasIssuer && req.Issuer != app.Audience:
		return mismatch(ReasonIssuer, app.Audience, req.Issuer, "the request's Issuer is not the Audience of the app %s",
			quote(app.Label))
	case req.HasIssuer:
		return nil
	case s.config.Strict:
		return missing("and Config.Strict requires one")
	case app.RequireIssuer:
		return missing("and the app %s requires one", quote(app.Label))
	case req.ACSURL == nil || !slices.ContainsFunc(app.ACS, func(x ACS) bool { return x.URL == *req.ACSURL }):
		return missing("nor an AssertionConsumerServiceURL of the app %s that would identify it", quote(app.Label))
	}
	return nil
}

var startsLikeName = regexp.MustCompile(`^[A-Za-z_]`)

func (s *Server) strict(p *pending, in incoming) *Error {
	const most = 5 * time.Minute
	req := p.req
	switch {
	case len(p.relayState) > 80:
		return mismatch(ReasonRelayState, "at most 80 bytes", itoa(len(p.relayState)),
			"RelayState is too long (SAML Bindings 3.4.3)")
	case p.at.Sub(req.Instant).Abs() > most:
		return mismatch(ReasonIssueInstant, instant(p.at), instant(req.Instant),
			"the request's IssueInstant is more than five minutes off")
	case !startsLikeName.MatchString(req.ID) || strings.Contains(req.ID, ":"):
		return mismatch(ReasonMalformed, "a letter or _ first, and no colon", req.ID, "the AuthnRequest's ID is not an xs:ID")
	case req.verified && req.Destination == "":
		return mismatch(ReasonDestination, "the sign-on address", "",
			"the signed request has no Destination (SAML Bindings 3.4.5.2)")
	case in.binding == bindingRedirect && req.Enveloped:
		return malformed(nil, "the AuthnRequest holds a ds:Signature, which HTTP-Redirect removes (SAML Bindings 3.4.4.1)")
	case req.Confirmed:
		return malformed(nil, "the AuthnRequest's Subject holds a SubjectConfirmation (SAML Profiles 4.1.4.1)")
	}
	return nil
}
