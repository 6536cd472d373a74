package mockidp

// NameID formats (SAML Core 8.3).
const (
	NameIDEmail       = "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress"
	NameIDUnspecified = "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified"
	NameIDX509Subject = "urn:oasis:names:tc:SAML:1.1:nameid-format:X509SubjectName"
	NameIDPersistent  = "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent"
	NameIDTransient   = "urn:oasis:names:tc:SAML:2.0:nameid-format:transient"
)

// nameID is the NameID's value for a user. A template that yields nothing is
// an error: Okta too sends nothing rather than an empty NameID.
func (a *App) nameID(u *User) (string, *Error) {
	if vs := expand(a.NameIDTemplate, u); len(vs) > 0 && vs[0] != "" {
		return vs[0], nil
	}
	return "", &Error{Reason: ReasonNameID, Got: a.NameIDTemplate,
		Detail: "the user " + quote(u.Login) + " has no value for the NameIDTemplate of the app " + quote(a.Label)}
}

// checkNameIDPolicy refuses a request for another format than the app sends
// (SAML Core 3.4.1.1), as Okta's help has it: "When NameIdPolicy is included in
// the SAML Request, the Name ID format must match it" (Application Integration
// Wizard SAML field reference). Unspecified asks for none (Core 8.3.1).
func (a *App) checkNameIDPolicy(req *authnRequest, required bool) *Error {
	switch {
	case a.IgnoreNameIDPolicy || a.namesOnce(req):
		return nil
	case req.NameIDFormat == nil && required:
		return &Error{Reason: ReasonNameIDPolicy, Want: a.NameIDFormat, Detail: "the signed request has no NameIDPolicy with a Format"}
	case req.NameIDFormat == nil || *req.NameIDFormat == NameIDUnspecified || *req.NameIDFormat == a.NameIDFormat:
		return nil
	}
	return &Error{Reason: ReasonNameIDPolicy, Want: a.NameIDFormat, Got: *req.NameIDFormat,
		Detail: "the request's NameIDPolicy asks for another format than the app " + quote(a.Label) + " sends; give the app that NameIDFormat, or IgnoreNameIDPolicy"}
}

// namesOnce: Entra ID answers a request for a transient NameID with a random
// one, whatever the app is configured to send.
func (a *App) namesOnce(req *authnRequest) bool {
	return a.Profile == Entra && req != nil && req.NameIDFormat != nil && *req.NameIDFormat == NameIDTransient
}

// nameFor is the NameID of an answer.
func (s *Server) nameFor(app *App, req *authnRequest, u *User) (value, format string, err *Error) {
	if app.namesOnce(req) && !app.IgnoreNameIDPolicy {
		id, err := s.newID()
		return id, NameIDTransient, err
	}
	value, err = app.nameID(u)
	return value, app.NameIDFormat, err
}
