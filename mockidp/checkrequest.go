package mockidp

import (
	"regexp"
	"strings"
	"time"
)

// read checks a request for an app as far as that can be done without a
// person, and keeps it among the messages whatever comes of it.
func (s *Server) read(app *App, in incoming) (pending, *Error) {
	p := pending{appID: app.ID, relayState: in.relayState, at: s.now()}
	if !in.has {
		if !in.hasRelay {
			p.relayState = app.DefaultRelayState
		}
		return p, nil
	}
	m := Message{Time: p.at, Direction: Received, App: app.ID, Binding: in.binding, RelayState: in.relayState}
	doc, err := in.xml()
	if err == nil {
		m.XML = doc
		p.req, err = parseAuthnRequest(doc)
	}
	if err == nil {
		if p.req.ACSURL != nil {
			m.ACS = *p.req.ACSURL
		}
		err = s.checkRequest(app, &p, in, doc)
	}
	m.Refused = err
	s.messages.add(m)
	if len(in.relayState) > 80 {
		s.config.Logger.Warn("mockidp: RelayState is over the 80 bytes of SAML Bindings 3.4.3", "bytes", len(in.relayState), "app", app.ID)
	}
	return p, err
}

// checkRequest holds a request against the app (SAML Core 3.2.1, 3.4.1; Profiles
// 4.1.4.1). Where the app takes signed requests, p.req becomes what was signed.
func (s *Server) checkRequest(app *App, p *pending, in incoming, doc []byte) *Error {
	if app.SignedRequests {
		signed, err := app.verified(in, p.req, doc)
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
	if req.Destination != "" && req.Destination != s.ssoURL(app) {
		return &Error{Reason: ReasonDestination, Detail: "the request's Destination is another address", Want: s.ssoURL(app), Got: req.Destination}
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

// startsLikeName is how an xs:ID begins.
var startsLikeName = regexp.MustCompile(`^[A-Za-z_]`)

// strict is Config.Strict.
func (s *Server) strict(p *pending, in incoming) *Error {
	const most = 5 * time.Minute
	req := p.req
	switch {
	case len(p.relayState) > 80:
		return &Error{Reason: ReasonRelayState, Detail: "RelayState is too long (SAML Bindings 3.4.3)", Want: "at most 80 bytes", Got: itoa(len(p.relayState))}
	case p.at.Sub(req.Instant).Abs() > most:
		return &Error{Reason: ReasonIssueInstant, Detail: "the request's IssueInstant is more than five minutes off", Want: instant(p.at), Got: instant(req.Instant)}
	case !startsLikeName.MatchString(req.ID) || strings.Contains(req.ID, ":"):
		return &Error{Reason: ReasonMalformed, Detail: "the AuthnRequest's ID is not an xs:ID", Want: "a letter or _ first, and no colon", Got: req.ID}
	case req.verified && req.Destination == "":
		return &Error{Reason: ReasonDestination, Detail: "the signed request has no Destination (SAML Bindings 3.4.5.2)", Want: "the sign-on address"}
	case in.binding == bindingRedirect && req.Enveloped:
		return malformed(nil, "the AuthnRequest holds a ds:Signature, which HTTP-Redirect takes out (SAML Bindings 3.4.4.1)")
	case req.Subject != nil && req.Subject.confirmed:
		return malformed(nil, "the AuthnRequest's Subject holds a SubjectConfirmation (SAML Profiles 4.1.4.1)")
	}
	return nil
}
