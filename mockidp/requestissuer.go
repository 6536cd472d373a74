package mockidp

import "slices"

// checkIssuer holds the Issuer against the app's Audience. Profiles 4.1.4.1
// wants one in every request and Core 3.2.1 in none. A request without one is
// accepted at an app's own sign-on address, if it names a URL of the app's list:
// it is then clear which application asks, and its answer can go nowhere else.
func (s *Server) checkIssuer(app *App, req *authnRequest) *Error {
	const missing = "the AuthnRequest has no Issuer (SAML Profiles 4.1.4.1)"
	switch {
	case app.Audience == "":
		return &Error{Reason: ReasonIssuer, Got: req.Issuer,
			Detail: "the app " + quote(app.Label) + " knows no service provider yet: give it an Audience with RegisterSP, UpdateApp, the control API or in its configuration"}
	case req.HasIssuer && req.Issuer != app.Audience:
		return &Error{Reason: ReasonIssuer, Detail: "the request's Issuer is not the Audience of the app " + quote(app.Label), Want: app.Audience, Got: req.Issuer}
	case req.HasIssuer:
		return nil
	case s.config.Strict:
		return &Error{Reason: ReasonIssuer, Detail: missing + ", and Config.Strict asks for it", Want: app.Audience}
	case app.RequireIssuer:
		return &Error{Reason: ReasonIssuer, Detail: missing + ", and the app " + quote(app.Label) + " asks for it", Want: app.Audience}
	case req.ACSURL == nil || !slices.ContainsFunc(app.ACS, func(x ACS) bool { return x.URL == *req.ACSURL }):
		return &Error{Reason: ReasonIssuer, Want: app.Audience,
			Detail: missing + ", nor an AssertionConsumerServiceURL of the app " + quote(app.Label) + ", by which it would be known"}
	}
	return nil
}
