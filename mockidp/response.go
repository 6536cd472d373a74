package mockidp

import (
	"encoding/base64"
	"encoding/hex"
	"io"
	"time"

	"github.com/beevik/etree"
)

// Form is an answer: what a browser posts to the service provider by the
// HTTP-POST binding (SAML Bindings 3.5).
type Form struct {
	URL          string // the assertion consumer service; always one on the app's list
	SAMLResponse string // base64
	RelayState   string // "" if there is none
}

const (
	statusSuccess   = "urn:oasis:names:tc:SAML:2.0:status:Success"
	statusResponder = "urn:oasis:names:tc:SAML:2.0:status:Responder"
	statusNoPassive = "urn:oasis:names:tc:SAML:2.0:status:NoPassive"

	passwordProtected = "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport"
	confirmedBearer   = "urn:oasis:names:tc:SAML:2.0:cm:bearer"
	issuerFormat      = "urn:oasis:names:tc:SAML:2.0:nameid-format:entity"

	nsXS  = "http://www.w3.org/2001/XMLSchema"
	nsXSI = "http://www.w3.org/2001/XMLSchema-instance"

	// assertionLifetime is Okta's: an assertion is good for five minutes, and
	// five minutes back for clocks that run behind.
	assertionLifetime = 5 * time.Minute
)

// answer is everything a Response is made from.
type answer struct {
	app          *App
	acs          ACS
	inResponseTo string // "" = unsolicited
	relayState   string
	now          time.Time

	// Of a success.
	user         *User
	authnInstant time.Time
	sessionIndex string

	// Of a failure: the top-level status code and the one nested in it.
	status, substatus string
}

// respond builds, signs and encodes the Response.
func (s *Server) respond(a answer) (Form, *Error) {
	doc, err := s.buildResponse(a)
	if err != nil {
		return Form{}, &Error{Reason: ReasonInternal, Detail: "building the response", Err: err}
	}
	raw, err := doc.WriteToBytes()
	if err != nil {
		return Form{}, &Error{Reason: ReasonInternal, Detail: "writing the response", Err: err}
	}
	s.messages.add(Message{Time: a.now, Direction: Sent, App: a.app.ID, User: a.login(), Binding: bindingPOST,
		ACS: a.acs.URL, RelayState: a.relayState, XML: raw})
	return Form{URL: a.acs.URL, SAMLResponse: base64.StdEncoding.EncodeToString(raw), RelayState: a.relayState}, nil
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
	resp := doc.CreateElement("saml2p:Response")
	resp.CreateAttr("xmlns:saml2p", nsProtocol)
	resp.CreateAttr("Destination", a.acs.URL)
	resp.CreateAttr("ID", id)
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
			if err := s.key.sign(assertion); err != nil {
				return nil, err
			}
		}
		resp.AddChild(assertion)
	}
	if a.app.Sign != SignAssertion || a.user == nil {
		return doc, s.key.sign(resp)
	}
	return doc, nil
}

func (a *answer) issuer(parent *etree.Element) {
	el := parent.CreateElement("saml2:Issuer")
	el.CreateAttr("xmlns:saml2", nsAssertion)
	el.CreateAttr("Format", issuerFormat)
	el.SetText(a.app.Issuer)
}

func (a *answer) statusOf(resp *etree.Element) {
	code := resp.CreateElement("saml2p:Status").CreateElement("saml2p:StatusCode")
	if a.user != nil {
		code.CreateAttr("Value", statusSuccess)
		return
	}
	code.CreateAttr("Value", a.status)
	code.CreateElement("saml2p:StatusCode").CreateAttr("Value", a.substatus)
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
	subject := parent.CreateElement("saml2:Subject")
	nameID := subject.CreateElement("saml2:NameID")
	nameID.CreateAttr("Format", a.app.NameIDFormat)
	nameID.SetText(a.user.Login)
	confirmation := subject.CreateElement("saml2:SubjectConfirmation")
	confirmation.CreateAttr("Method", confirmedBearer)
	data := confirmation.CreateElement("saml2:SubjectConfirmationData")
	if a.inResponseTo != "" {
		data.CreateAttr("InResponseTo", a.inResponseTo)
	}
	data.CreateAttr("NotOnOrAfter", instant(a.now.Add(assertionLifetime)))
	data.CreateAttr("Recipient", a.acs.URL)
}

// conditions is SAML Core 2.5.
func (a *answer) conditions(parent *etree.Element) {
	el := parent.CreateElement("saml2:Conditions")
	el.CreateAttr("NotBefore", instant(a.now.Add(-assertionLifetime)))
	el.CreateAttr("NotOnOrAfter", instant(a.now.Add(assertionLifetime)))
	el.CreateElement("saml2:AudienceRestriction").CreateElement("saml2:Audience").SetText(a.app.Audience)
}

// authnStatement is SAML Core 2.7.2.
func (a *answer) authnStatement(parent *etree.Element) {
	el := parent.CreateElement("saml2:AuthnStatement")
	el.CreateAttr("AuthnInstant", instant(a.authnInstant))
	el.CreateAttr("SessionIndex", a.sessionIndex)
	if a.app.SessionLifetime > 0 {
		el.CreateAttr("SessionNotOnOrAfter", instant(a.now.Add(a.app.SessionLifetime)))
	}
	el.CreateElement("saml2:AuthnContext").CreateElement("saml2:AuthnContextClassRef").SetText(passwordProtected)
}

// attributeStatement is SAML Core 2.7.3, each value typed as Okta types it.
func (a *answer) attributeStatement(parent *etree.Element) {
	attrs := a.app.attributesFor(a.user)
	if len(attrs) == 0 {
		return
	}
	statement := parent.CreateElement("saml2:AttributeStatement")
	for _, at := range attrs {
		el := statement.CreateElement("saml2:Attribute")
		el.CreateAttr("Name", at.name)
		el.CreateAttr("NameFormat", at.format)
		for _, v := range at.values {
			value := el.CreateElement("saml2:AttributeValue")
			value.CreateAttr("xmlns:xs", nsXS)
			value.CreateAttr("xmlns:xsi", nsXSI)
			value.CreateAttr("xsi:type", "xs:string")
			value.SetText(v)
		}
	}
}

// instant is an xs:dateTime in UTC with milliseconds (SAML Core 1.3.3).
func instant(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

// newID is an xs:ID that nobody can guess (SAML Core 1.3.4).
func (s *Server) newID() (string, error) {
	b, err := s.random(16)
	return "id" + hex.EncodeToString(b), err
}

func (s *Server) random(n int) ([]byte, error) {
	s.randMu.Lock()
	defer s.randMu.Unlock()
	b := make([]byte, n)
	_, err := io.ReadFull(s.config.Rand, b)
	return b, err
}
