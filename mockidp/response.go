package mockidp

import (
	"crypto/rsa"
	"time"

	"github.com/beevik/etree"
)

// AssertionLifetime is Okta's: an assertion is valid for five minutes, and from five minutes earlier for slow clocks.
const AssertionLifetime = 5 * time.Minute

// answer holds the values that a Response is made from.
type answer struct {
	app          *App
	acs          ACS
	binding      ResponseBinding
	inResponseTo string // "" if unsolicited
	relayState   string
	now          time.Time
	attack       string // chosen on the sign-in page, or ""

	// Of a success.
	user         *User
	authnInstant time.Time
	sessionIndex string
	session      string // token of the browser's session, or ""
	class        string // AuthnContextClassRef
	nameID       string
	format       string // of the NameID
	composed     bool   // attributes are those that were composed, not the app's
	attributes   []Attribute

	failure *Status // of a failure

	query    bool // it answers an AttributeQuery, by SOAP: there is no Destination, bearer or AuthnStatement
	unsigned bool // for a fault

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
	raw, err := s.buildResponse(a)
	if err != nil {
		return posted{}, internal("building the response", err)
	}
	m, merr := s.mutated(a, raw)
	if merr != nil {
		return posted{}, merr
	}
	if a.faults.has(CutResponse) {
		m.Form.cutResponse()
	}
	if merr := s.byArtifact(&m, a); merr != nil {
		return posted{}, merr
	}
	m.Time, m.Direction, m.App, m.User = s.now(), Sent, a.app.ID, a.login()
	m.RelayState, m.Faults, m.Status = a.relayState, append(a.faults.kinds, m.Faults...), clonePtr(a.failure)
	log := s.config.Logger.With("app", a.app.ID, "acs", a.acs.URL)
	if a.failure == nil {
		s.sessions.join(a.session, participant{a.app.ID, a.nameID, a.format, a.sessionIndex})
	}
	if a.failure != nil {
		log.Info("mockidp: answered with a status", "code", a.failure.Code, "second", a.failure.SubCode)
	} else {
		log.Info("mockidp: signed in to an app", "login", a.login(), "solicited", a.inResponseTo != "")
	}
	s.messages.add(m)
	return posted{m.Form.clone(), a.faults}, nil
}

func (a *answer) login() string {
	if a.user == nil {
		return ""
	}
	return a.user.Login
}

// buildResponse returns a Response (SAML Core 3.3.3; Profiles 4.1.4.2).
func (s *Server) buildResponse(a answer) ([]byte, error) {
	doc, err := s.responseDocument(a)
	if err != nil {
		return nil, err
	}
	if err := s.protect(doc.Root(), a, a.app.Encrypt != nil); err != nil {
		return nil, err
	}
	return doc.WriteToBytes()
}

// responseDocument returns a Response that isn't signed or encrypted yet.
func (s *Server) responseDocument(a answer) (*etree.Document, error) {
	data := map[string]any{
		"Destination": a.place(a.app.Destination), "Recipient": a.place(a.app.Recipient), "InResponseTo": a.inResponseTo,
		"Issuer": a.app.Issuer, "Audience": a.app.Audience, "Now": instant(a.now),
		"NotBefore":    instant(a.now.Add(-AssertionLifetime)),
		"NotOnOrAfter": instant(a.now.Add(AssertionLifetime)),
		"NameID":       a.nameID, "Format": a.format, "Class": a.class,
		"AuthnInstant": instant(a.authnInstant), "SessionIndex": a.sessionIndex, "SessionNotOnOrAfter": "",
		"Failure": a.failure, "Query": a.query,
	}
	if a.query {
		data["Destination"] = ""
	}
	if a.app.SessionLifetime > 0 {
		data["SessionNotOnOrAfter"] = instant(a.now.Add(a.app.SessionLifetime))
	}
	if a.composed {
		data["Attributes"] = a.attributes
	} else if a.user != nil {
		data["Attributes"] = a.app.attributesFor(a.user)
	}
	for _, name := range []string{"ID", "AssertionID"} {
		id, err := s.newID()
		if err != nil {
			return nil, err
		}
		data[name] = id
	}
	return newDocument("response", data)
}

// protect signs and encrypts a Response as the app says.
func (s *Server) protect(resp *etree.Element, a answer, encrypt bool) error {
	assertion, outside := resp.SelectElement("saml2:Assertion"), a.app.Sign == SignArtifactResponse
	if assertion != nil && a.app.Sign != SignResponse && !outside && !a.unsigned {
		// It declares every namespace it uses, so the signature stays valid when a reader takes it out.
		if err := a.signer.sign(assertion); err != nil {
			return err
		}
	}
	if assertion != nil && encrypt {
		if err := s.encrypt(a.app, assertion); err != nil {
			return err
		}
	}
	if a.unsigned || outside && a.binding != ResponsePOST || assertion != nil && a.app.Sign == SignAssertion {
		return nil
	}
	return a.signer.sign(resp)
}

// encrypt puts an EncryptedAssertion in the place of an assertion.
func (s *Server) encrypt(app *App, assertion *etree.Element) error {
	cert := app.EncryptionCertificate
	if cert == nil {
		return app.bad("Encrypt needs an EncryptionCertificate; RegisterSP takes one from metadata")
	}
	resp, at := assertion.Parent(), assertion.Index()
	key := cert.PublicKey.(*rsa.PublicKey) // checked when the app was set
	encrypted, err := app.Encrypt.encrypted(assertion, "EncryptedAssertion", key, readerFunc(s.readRandom))
	if err == nil {
		resp.InsertChildAt(at, encrypted)
	}
	return err
}

// place returns the answer's URL, or for the default ACS the app's Recipient or Destination if that is set.
func (a *answer) place(other string) string {
	if other != "" && len(a.app.ACS) > 0 && a.acs.URL == a.app.DefaultACS().URL {
		return other
	}
	return a.acs.URL
}

// instant formats an xs:dateTime in UTC with milliseconds (SAML Core 1.3.3).
func instant(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

// Status is the status of a Response without an assertion (SAML Core 3.2.2).
type Status struct {
	// Code is the top-level code. Zero: StatusResponder.
	Code string
	// SubCode is the second-level code. Zero: none.
	SubCode string
	// Message is the StatusMessage. Zero: none.
	Message string
}

// Top-level status codes (SAML Core 3.2.2.2).
const (
	StatusSuccess         = "urn:oasis:names:tc:SAML:2.0:status:Success"
	StatusRequester       = "urn:oasis:names:tc:SAML:2.0:status:Requester"
	StatusResponder       = "urn:oasis:names:tc:SAML:2.0:status:Responder"
	StatusVersionMismatch = "urn:oasis:names:tc:SAML:2.0:status:VersionMismatch"
)

// Second-level status codes (SAML Core 3.2.2.2).
const (
	StatusAuthnFailed         = "urn:oasis:names:tc:SAML:2.0:status:AuthnFailed"
	StatusInvalidNameIDPolicy = "urn:oasis:names:tc:SAML:2.0:status:InvalidNameIDPolicy"
	StatusNoAuthnContext      = "urn:oasis:names:tc:SAML:2.0:status:NoAuthnContext"
	StatusNoPassive           = "urn:oasis:names:tc:SAML:2.0:status:NoPassive"
	StatusPartialLogout       = "urn:oasis:names:tc:SAML:2.0:status:PartialLogout"
	StatusRequestDenied       = "urn:oasis:names:tc:SAML:2.0:status:RequestDenied"
	StatusRequestUnsupported  = "urn:oasis:names:tc:SAML:2.0:status:RequestUnsupported"
	StatusUnknownPrincipal    = "urn:oasis:names:tc:SAML:2.0:status:UnknownPrincipal"
)

func (st Status) check() *Error {
	switch st.Code {
	case "", StatusRequester, StatusResponder, StatusVersionMismatch:
	default:
		return badConfig("Status.Code must be a top-level error code, got %s", quote(st.Code))
	}
	return checkText("Status", st.SubCode+st.Message)
}

// statusFor returns the status of a refusal for RefuseByStatus. Other refusals may concern a forged request and end
// on a page.
func statusFor(e *Error) (Status, bool) {
	switch e.Reason {
	case ReasonNotAssigned:
		return Status{StatusResponder, StatusRequestDenied, "The user is not assigned to this application."}, true
	case ReasonInactive:
		return Status{StatusResponder, StatusAuthnFailed, "The user can't sign in."}, true
	case ReasonNameIDPolicy:
		return Status{StatusRequester, StatusInvalidNameIDPolicy, "The NameIDPolicy asks for another format."}, true
	}
	return Status{}, false
}

// noPassive answers an IsPassive request that would have to show a page (SAML Core 3.4.1, 3.2.2.2).
var noPassive = Status{Code: StatusResponder, SubCode: StatusNoPassive}

// noContext answers a RequestedAuthnContext that can't be satisfied.
var noContext = Status{StatusResponder, StatusNoAuthnContext, "The requested authentication context is not available."}
