package mockidp

import (
	"cmp"
	"crypto/rsa"
	"slices"
	"time"

	"github.com/beevik/etree"
)

const (
	confirmedBearer = "urn:oasis:names:tc:SAML:2.0:cm:bearer"
	issuerFormat    = "urn:oasis:names:tc:SAML:2.0:nameid-format:entity"

	nsXS  = "http://www.w3.org/2001/XMLSchema"
	nsXSI = "http://www.w3.org/2001/XMLSchema-instance"

	// AssertionLifetime is Okta's: an assertion is good for five minutes, and
	// five minutes back for clocks that run behind.
	AssertionLifetime = 5 * time.Minute
)

// add adds an element with attributes, names and values in turn.
func add(parent *etree.Element, tag string, attributes ...string) *etree.Element {
	el := parent.CreateElement(tag)
	for pair := range slices.Chunk(attributes, 2) {
		el.CreateAttr(pair[0], pair[1])
	}
	return el
}

// answer is everything a Response is made from.
type answer struct {
	app          *App
	acs          ACS
	inResponseTo string // "" = unsolicited
	relayState   string
	now          time.Time
	attack       string // chosen on the sign-in page, or ""

	// Of a success.
	user         *User
	authnInstant time.Time
	sessionIndex string

	class  string // AuthnContextClassRef
	nameID string
	format string // the NameID's

	// Of a failure.
	failure *Status

	signer signer
	faults faultSet
}

// posted is an answer on its way: the form, and what is to go wrong with it.
type posted struct {
	Form
	faults faultSet
}

// respond builds, signs and encodes the Response. A queued error comes instead
// of it, and the faults of the app are taken here, once an answer.
func (s *Server) respond(st *state, a answer) (posted, *Error) {
	if queued, ok := s.queue.takeError(a.app.ID); ok {
		a.user, a.failure = nil, &queued
	}
	a.faults = s.faults.take(a.app.ID)
	a.now = a.now.Add(a.faults.skew)
	a.authnInstant = a.authnInstant.Add(a.faults.skew)
	var serr *Error
	if a.signer, serr = st.signer(a.app); serr != nil {
		return posted{}, serr
	}
	doc, err := s.buildResponse(a)
	if err != nil {
		return posted{}, &Error{Reason: ReasonInternal, Detail: "building the response", Err: err}
	}
	raw, err := doc.WriteToBytes()
	if err != nil {
		return posted{}, &Error{Reason: ReasonInternal, Detail: "writing the response", Err: err}
	}
	out, merr := s.mutated(a, raw)
	if merr != nil {
		return posted{}, merr
	}
	if a.faults.has(CutResponse) {
		out.form.cutResponse()
	}
	m := Message{Time: s.now(), Direction: Sent, App: a.app.ID, User: a.login(), Binding: bindingPOST,
		ACS: out.acs, RelayState: a.relayState, XML: out.xml, Faults: a.faults.kinds, Attack: out.attack, Form: out.form.clone()}
	if a.failure != nil {
		m.Status = clonePtr(a.failure)
		s.config.Logger.Info("mockidp: answered with a status", "app", a.app.ID, "code", a.failure.Code, "second", a.failure.SubCode, "acs", a.acs.URL)
	} else {
		s.config.Logger.Info("mockidp: signed in to an app", "app", a.app.ID, "login", a.login(), "acs", a.acs.URL, "solicited", a.inResponseTo != "")
	}
	s.messages.add(m)
	return posted{out.form, a.faults}, nil
}

func (a *answer) login() string {
	if a.user == nil {
		return ""
	}
	return a.user.Login
}

// buildResponse makes a Response (SAML Core 3.3.3; Profiles 4.1.4.2).
func (s *Server) buildResponse(a answer) (*etree.Document, error) {
	id, err := s.newID()
	if err != nil {
		return nil, err
	}
	doc := etree.NewDocument()
	// Canonical writing escapes carriage returns too, so what is signed is
	// what a reader gets.
	doc.WriteSettings.CanonicalText, doc.WriteSettings.CanonicalAttrVal = true, true
	doc.CreateProcInst("xml", `version="1.0" encoding="UTF-8"`)
	resp := add(&doc.Element, "saml2p:Response", "xmlns:saml2p", nsProtocol, "Destination", a.destination(), "ID", id)
	if a.inResponseTo != "" {
		resp.CreateAttr("InResponseTo", a.inResponseTo)
	}
	resp.CreateAttr("IssueInstant", instant(a.now))
	resp.CreateAttr("Version", "2.0")
	a.issuer(resp)
	a.statusOf(resp)
	if a.user != nil {
		assertion, err := s.assertion(&a)
		if err != nil {
			return nil, err
		}
		if a.app.Sign != SignResponse {
			// Signed on its own, before it has a parent: it declares every
			// namespace it uses, so it survives being taken out again.
			if err := a.signer.sign(assertion); err != nil {
				return nil, err
			}
		}
		if assertion, err = s.encrypt(a.app, assertion); err != nil {
			return nil, err
		}
		resp.AddChild(assertion)
	}
	if a.app.Sign != SignAssertion || a.user == nil {
		return doc, a.signer.sign(resp)
	}
	return doc, nil
}

func (a *answer) issuer(parent *etree.Element) {
	add(parent, "saml2:Issuer", "xmlns:saml2", nsAssertion, "Format", issuerFormat).SetText(a.app.Issuer)
}

// encrypt does what App.Encrypt says.
func (s *Server) encrypt(app *App, assertion *etree.Element) (*etree.Element, error) {
	if app.Encrypt == nil {
		return assertion, nil
	}
	if app.EncryptionCertificate == nil {
		return nil, badConfig("the app %s has Encrypt and no EncryptionCertificate; RegisterSP takes one from metadata", quote(app.Label))
	}
	key, ok := app.EncryptionCertificate.PublicKey.(*rsa.PublicKey)
	if !ok { // checked when the app was set
		return nil, badConfig("the app %s has an EncryptionCertificate without an RSA key", quote(app.Label))
	}
	return app.Encrypt.encrypted(assertion, key, readerFunc(s.readRandom))
}

// destination and recipient are the answer's own URL, unless the app says
// otherwise for its default one.
func (a *answer) destination() string { return a.place(a.app.Destination) }
func (a *answer) recipient() string   { return a.place(a.app.Recipient) }

func (a *answer) place(other string) string {
	if other != "" && len(a.app.ACS) > 0 && a.acs.URL == a.app.DefaultACS().URL {
		return other
	}
	return a.acs.URL
}

func (a *answer) statusOf(resp *etree.Element) {
	status := add(resp, "saml2p:Status")
	if a.failure == nil {
		add(status, "saml2p:StatusCode", "Value", StatusSuccess)
		return
	}
	code := add(status, "saml2p:StatusCode", "Value", cmp.Or(a.failure.Code, StatusResponder))
	if a.failure.SubCode != "" {
		add(code, "saml2p:StatusCode", "Value", a.failure.SubCode)
	}
	if a.failure.Message != "" {
		status.CreateElement("saml2p:StatusMessage").SetText(a.failure.Message)
	}
}

func (s *Server) assertion(a *answer) (*etree.Element, error) {
	id, err := s.newID()
	if err != nil {
		return nil, err
	}
	el := etree.NewElement("saml2:Assertion")
	el.CreateAttr("xmlns:saml2", nsAssertion)
	el.CreateAttr("ID", id)
	el.CreateAttr("IssueInstant", instant(a.now))
	el.CreateAttr("Version", "2.0")
	a.issuer(el)
	a.subject(el)
	a.conditions(el)
	a.authnStatement(el)
	a.attributeStatement(el)
	return el, nil
}

// subject is SAML Core 2.4 with one bearer confirmation (Profiles 4.1.4.2).
func (a *answer) subject(parent *etree.Element) {
	subject := add(parent, "saml2:Subject")
	add(subject, "saml2:NameID", "Format", a.format).SetText(a.nameID)
	data := add(add(subject, "saml2:SubjectConfirmation", "Method", confirmedBearer), "saml2:SubjectConfirmationData")
	if a.inResponseTo != "" {
		data.CreateAttr("InResponseTo", a.inResponseTo)
	}
	data.CreateAttr("NotOnOrAfter", instant(a.now.Add(AssertionLifetime)))
	data.CreateAttr("Recipient", a.recipient())
}

// conditions is SAML Core 2.5.
func (a *answer) conditions(parent *etree.Element) {
	el := add(parent, "saml2:Conditions", "NotBefore", instant(a.now.Add(-AssertionLifetime)), "NotOnOrAfter", instant(a.now.Add(AssertionLifetime)))
	add(add(el, "saml2:AudienceRestriction"), "saml2:Audience").SetText(a.app.Audience)
}

// authnStatement is SAML Core 2.7.2.
func (a *answer) authnStatement(parent *etree.Element) {
	el := add(parent, "saml2:AuthnStatement", "AuthnInstant", instant(a.authnInstant), "SessionIndex", a.sessionIndex)
	if a.app.SessionLifetime > 0 {
		el.CreateAttr("SessionNotOnOrAfter", instant(a.now.Add(a.app.SessionLifetime)))
	}
	add(add(el, "saml2:AuthnContext"), "saml2:AuthnContextClassRef").SetText(a.class)
}

// attributeStatement is SAML Core 2.7.3, each value typed as Okta types it.
func (a *answer) attributeStatement(parent *etree.Element) {
	attrs := a.app.attributesFor(a.user)
	if len(attrs) == 0 {
		return
	}
	statement := add(parent, "saml2:AttributeStatement")
	for _, at := range attrs {
		el := add(statement, "saml2:Attribute", "Name", at.name, "NameFormat", at.format)
		for _, v := range at.values {
			add(el, "saml2:AttributeValue", "xmlns:xs", nsXS, "xmlns:xsi", nsXSI, "xsi:type", "xs:string").SetText(v)
		}
	}
}

// instant is an xs:dateTime in UTC with milliseconds (SAML Core 1.3.3).
func instant(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }
