package mockidp

import "encoding/xml"

// requestedSubject is whom a request asks an assertion about (SAML Core 3.4.1).
type requestedSubject struct {
	named         bool   // it has a NameID
	value, format string // the NameID's
	other         string // EncryptedID or BaseID, which no user here has, or ""
	confirmed     bool   // it holds a SubjectConfirmation, which Profiles 4.1.4.1 forbids
}

// subjectChild reads a Subject (SAML Core 2.4.1).
func (p *requestParser) subjectChild(t xml.StartElement) *Error {
	subject := p.req.Subject
	switch t.Name {
	case xml.Name{Space: nsAssertion, Local: "NameID"}:
		if subject.named || subject.other != "" {
			return malformed(nil, "the AuthnRequest's Subject has two identifiers")
		}
		subject.named, subject.format = true, attribute(t, "Format")
		p.read("NameID")
	case xml.Name{Space: nsAssertion, Local: "EncryptedID"}, xml.Name{Space: nsAssertion, Local: "BaseID"}:
		if subject.named || subject.other != "" {
			return malformed(nil, "the AuthnRequest's Subject has two identifiers")
		}
		subject.other = t.Name.Local
	case xml.Name{Space: nsAssertion, Local: "SubjectConfirmation"}:
		subject.confirmed = true
	}
	return nil
}

// subject is whom the answer has to be about, or nil.
func (p *pending) subject() *requestedSubject {
	if p.req == nil || p.req.Subject == nil || !p.req.Subject.named && p.req.Subject.other == "" {
		return nil
	}
	return p.req.Subject
}

// isFor says whether an assertion about the user would be about the Subject of
// the request (SAML Core 3.4.1.4: it has to match strongly, 3.3.4). The name
// is the one that the app gets; a Format matches if it is the app's, or none.
func (p *pending) isFor(app *App, u *User) bool {
	want := p.subject()
	if want == nil || u == nil {
		return true
	}
	name, err := app.nameID(u)
	return err == nil && want.other == "" && name == want.value &&
		(want.format == "" || want.format == NameIDUnspecified || want.format == app.NameIDFormat)
}

// expected is the user whom the request asks about, or nil.
func (p *pending) expected(st *state, app *App) *User {
	for _, u := range st.users {
		if p.subject() != nil && p.isFor(app, u) {
			return u
		}
	}
	return nil
}

// wrongSubject is the answer where no user, or another one than the request asks
// about, has signed in; u is nil before that. It is a status and never a
// page: SAML Core 3.4.1.4 demands one.
func (p *pending) wrongSubject(st *state, app *App, u *User) (Status, bool) {
	want := p.subject()
	switch {
	case want == nil || u != nil && p.isFor(app, u):
		return Status{}, false
	case want.other != "":
		return Status{StatusResponder, StatusRequestUnsupported, "The request's Subject holds an " + want.other + ", which is not read here."}, true
	case p.expected(st, app) == nil:
		return Status{StatusResponder, StatusUnknownPrincipal, "No user here has the request's Subject as the name that this application gets."}, true
	case u != nil:
		return Status{StatusResponder, StatusAuthnFailed, "The user who signed in is not the Subject of the request."}, true
	}
	return Status{}, false
}
