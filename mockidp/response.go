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

	// AssertionLifetime is Okta's: an assertion is valid for five minutes, and from five minutes earlier for clocks that
	// are slow.
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

// canonical makes a document escape carriage returns too, so that a reader gets exactly what was signed.
func canonical(doc *etree.Document) *etree.Document {
	doc.WriteSettings.CanonicalText, doc.WriteSettings.CanonicalAttrVal = true, true
	return doc
}

// answer is everything that a Response is made from.
type answer struct {
	app          *App
	acs          ACS
	inResponseTo string // "" if unsolicited
	relayState   string
	now          time.Time
	attack       string // chosen on the sign-in page, or ""

	// Of a success.
	user         *User
	authnInstant time.Time
	sessionIndex string
	class        string // AuthnContextClassRef
	nameID       string
	format       string // of the NameID

	failure *Status // of a failure

	signer signer
	faults faultSet
}

// posted is a form with the faults that affect it.
type posted struct {
	Form
	faults faultSet
}

// respond builds, signs and encodes the Response, or a queued error instead of it.
func (s *Server) respond(st *state, a answer) (posted, *Error) {
	if queued := s.takeError(a.app.ID); queued != nil {
		a.user, a.failure = nil, queued
	}
	a.faults = s.takeFaults(a.app.ID)
	a.now = a.now.Add(a.faults.skew)
	a.authnInstant = a.authnInstant.Add(a.faults.skew)
	var serr *Error
	if a.signer, serr = st.signer(a.app); serr != nil {
		return posted{}, serr
	}
	doc, err := s.buildResponse(a)
	if err != nil {
		return posted{}, internal("building the response", err)
	}
	raw, err := doc.WriteToBytes()
	if err != nil {
		return posted{}, internal("writing the response", err)
	}
	out, merr := s.mutated(a, raw)
	if merr != nil {
		return posted{}, merr
	}
	if a.faults.has(CutResponse) {
		out.form.cutResponse()
	}
	m := Message{Time: s.now(), Direction: Sent, App: a.app.ID, User: a.login(), Binding: bindingPOST, ACS: out.acs,
		RelayState: a.relayState, XML: out.xml, Faults: a.faults.kinds, Attack: out.attack, Form: out.form.clone()}
	log := s.config.Logger.With("app", a.app.ID, "acs", a.acs.URL)
	if a.failure != nil {
		m.Status = clonePtr(a.failure)
		log.Info("mockidp: answered with a status", "code", a.failure.Code, "second", a.failure.SubCode)
	} else {
		log.Info("mockidp: signed in to an app", "login", a.login(), "solicited", a.inResponseTo != "")
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

// buildResponse returns a Response (SAML Core 3.3.3; Profiles 4.1.4.2).
func (s *Server) buildResponse(a answer) (*etree.Document, error) {
	id, err := s.newID()
	if err != nil {
		return nil, err
	}
	doc := canonical(etree.NewDocument())
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
			// Signed before it has a parent: it declares every namespace it uses, so the signature stays valid when a
			// reader takes it out.
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

// encrypt applies App.Encrypt.
func (s *Server) encrypt(app *App, assertion *etree.Element) (*etree.Element, error) {
	if app.Encrypt == nil {
		return assertion, nil
	}
	if app.EncryptionCertificate == nil {
		return nil, app.bad("Encrypt needs an EncryptionCertificate; RegisterSP takes one from metadata")
	}
	key, ok := app.EncryptionCertificate.PublicKey.(*rsa.PublicKey)
	if !ok { // checked when the app was set
		return nil, app.bad("EncryptionCertificate must hold an RSA key")
	}
	return app.Encrypt.encrypted(assertion, key, readerFunc(s.readRandom))
}

// destination and recipient return the answer's URL, unless the app has another value for its default ACS.
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

// subject writes SAML Core 2.4 with one bearer confirmation (Profiles 4.1.4.2).
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

// conditions writes SAML Core 2.5.
func (a *answer) conditions(parent *etree.Element) {
	el := add(parent, "saml2:Conditions", "NotBefore", instant(a.now.Add(-AssertionLifetime)),
		"NotOnOrAfter", instant(a.now.Add(AssertionLifetime)))
	add(add(el, "saml2:AudienceRestriction"), "saml2:Audience").SetText(a.app.Audience)
}

// authnStatement writes SAML Core 2.7.2.
func (a *answer) authnStatement(parent *etree.Element) {
	el := add(parent, "saml2:AuthnStatement", "AuthnInstant", instant(a.authnInstant), "SessionIndex", a.sessionIndex)
	if a.app.SessionLifetime > 0 {
		el.CreateAttr("SessionNotOnOrAfter", instant(a.now.Add(a.app.SessionLifetime)))
	}
	add(add(el, "saml2:AuthnContext"), "saml2:AuthnContextClassRef").SetText(a.class)
}

// attributeStatement writes SAML Core 2.7.3, each value typed as at Okta.
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

// instant formats an xs:dateTime in UTC with milliseconds (SAML Core 1.3.3).
func instant(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }
