package mockidp

import (
	"cmp"
	"encoding/xml"

	"github.com/beevik/etree"
)

// requestedSubject is the Subject of a request (SAML Core 3.4.1).
type requestedSubject struct {
	value, format string // of the NameID
	qualifier     string // NameQualifier
	spQualifier   string // SPNameQualifier
	other         string // EncryptedID or BaseID, which identify no user here, or ""
}

// readSubject reads a Subject (SAML Core 2.4.1). r.Subject stays nil if it has no identifier.
func (r *authnRequest) readSubject(el *etree.Element) *Error {
	var subjects []*requestedSubject
	for child := range el.ChildElementsSeq() {
		switch nameOf(child) {
		case xml.Name{Space: nsAssertion, Local: "NameID"}:
			value, err := textOf(child)
			if err != nil {
				return err
			}
			attrs := attributes(child)
			subjects = append(subjects, &requestedSubject{value: value, format: attrs["Format"],
				qualifier: attrs["NameQualifier"], spQualifier: attrs["SPNameQualifier"]})
		case xml.Name{Space: nsAssertion, Local: "EncryptedID"}, xml.Name{Space: nsAssertion, Local: "BaseID"}:
			subjects = append(subjects, &requestedSubject{other: child.Tag})
		case xml.Name{Space: nsAssertion, Local: "SubjectConfirmation"}:
			r.Confirmed = true
		}
	}
	if len(subjects) > 1 {
		return malformed(nil, "the Subject of the AuthnRequest has two identifiers")
	}
	if len(subjects) == 1 {
		r.Subject = subjects[0]
	}
	return nil
}

// subject returns the Subject that the answer must be about, or nil.
func (p *pending) subject() *requestedSubject {
	if p.req == nil {
		return nil
	}
	return p.req.Subject
}

// isFor reports whether an assertion about the user would be about the Subject of the request (SAML Core 3.4.1.4: it
// must match strongly, 3.3.4). The name compared is the one that the app gets, byte for byte; a Format matches if it
// is the app's, or none, and so do the qualifiers, which answers don't have (8.3.7).
func (p *pending) isFor(app *App, u *User) bool {
	want := p.subject()
	if want == nil || u == nil {
		return true
	}
	name, err := app.nameID(u)
	return err == nil && want.other == "" && name == want.value &&
		cmp.Or(want.qualifier, app.Issuer) == app.Issuer && cmp.Or(want.spQualifier, app.Audience) == app.Audience &&
		(want.format == "" || want.format == NameIDUnspecified || want.format == app.NameIDFormat)
}

// expected returns the user that the request names, or nil.
func (p *pending) expected(st *state, app *App) *User {
	for _, u := range st.users {
		if p.subject() != nil && p.isFor(app, u) {
			return u
		}
	}
	return nil
}

// wrongSubject returns the status for a request whose Subject is no user, or not the user u who signed in; u is nil
// before sign-in. SAML Core 3.4.1.4 demands a status here, so it is never a page.
func (p *pending) wrongSubject(st *state, app *App, u *User) (Status, bool) {
	want := p.subject()
	switch {
	case want == nil || u != nil && p.isFor(app, u):
		return Status{}, false
	case want.other != "":
		return Status{StatusResponder, StatusRequestUnsupported,
			"The Subject of the request holds an " + want.other + ", which is not supported."}, true
	case p.expected(st, app) == nil:
		return Status{StatusResponder, StatusUnknownPrincipal,
			"No user has the Subject of the request as NameID for this application."}, true
	case u != nil:
		return Status{StatusResponder, StatusAuthnFailed, "The user who signed in is not the Subject of the request."}, true
	}
	return Status{}, false
}
