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

// checkNameIDPolicy is for signed requests only: as at Okta others may ask for
// any format, and get the app's. Unspecified asks for none (SAML Core 8.3.1).
func (a *App) checkNameIDPolicy(req *authnRequest, required bool) *Error {
	switch {
	case req.NameIDFormat == nil && required:
		return &Error{Reason: ReasonNameIDPolicy, Want: a.NameIDFormat, Detail: "the signed request has no NameIDPolicy with a Format"}
	case req.NameIDFormat == nil || *req.NameIDFormat == NameIDUnspecified || *req.NameIDFormat == a.NameIDFormat:
		return nil
	}
	return &Error{Reason: ReasonNameIDPolicy, Want: a.NameIDFormat, Got: *req.NameIDFormat,
		Detail: "the request's NameIDPolicy asks for another format than the app " + quote(a.Label) + " sends"}
}
