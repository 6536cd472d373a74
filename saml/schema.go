package saml

import (
	"time"

	"github.com/meridian-saml/meridian/saml/internal/xmltree"
)

// This file reads the parts of a message and checks them against the schema: how
// often elements occur, which are required, and the types of values. The rules check
// the values.

const (
	statusSuccess   = "urn:oasis:names:tc:SAML:2.0:status:Success"
	bearerMethod    = "urn:oasis:names:tc:SAML:2.0:cm:bearer"
	formatEntity    = "urn:oasis:names:tc:SAML:2.0:nameid-format:entity"
	formatTransient = "urn:oasis:names:tc:SAML:2.0:nameid-format:transient"
	formatPersist   = "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent"
	formatUnspec    = "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified"
)

// response is a Response without its assertion (Core 3.2.2).
type response struct {
	id, version  string
	issueInstant time.Time
	inResponseTo optional[string]
	destination  optional[string]
	issuer       issuer
	status       status
}

// optional is the value of an attribute that may be absent. Absent and empty are
// different.
type optional[T any] struct {
	value T
	given bool
}

type issuer struct {
	value, format string
	given         bool
}

// status is a StatusCode with the codes nested in it, outermost first.
type status struct {
	code    string // empty: there is none
	nested  []string
	message string
}

func (s status) String() string {
	if s.code == "" {
		return "no StatusCode"
	}
	text := s.code
	for _, code := range s.nested {
		text += " > " + code
	}
	if s.message != "" {
		text += " (" + clip(s.message) + ")"
	}
	return text
}

// assertion has the values of a signed Assertion (Core 2.3.3).
type assertion struct {
	id, version   string
	issueInstant  time.Time
	issuer        issuer
	nameID        NameID
	hasNameID     bool
	confirmations []confirmation
	conditions    conditions
	authn         []authnStatement
	attributes    []Attribute
}

// confirmation is a SubjectConfirmation with its data (Core 2.4.1.1, 2.4.1.2).
type confirmation struct {
	method       string
	recipient    string
	inResponseTo optional[string]
	notBefore    optional[time.Time]
	notOnOrAfter optional[time.Time]
}

// conditions is a Conditions element (Core 2.5.1).
type conditions struct {
	notBefore    optional[time.Time]
	notOnOrAfter optional[time.Time]
	audiences    [][]string // one list per AudienceRestriction
	oneTimeUse   bool
	proxyCount   string
	proxy        bool
	unknown      []string
}

// authnStatement is an AuthnStatement (Core 2.7.2).
type authnStatement struct {
	instant             time.Time
	sessionIndex        string
	sessionNotOnOrAfter optional[time.Time]
	classRef            string
}

func decodeResponse(n xmltree.Node) (*response, error) {
	d := decoder{}
	r := &response{
		id:           d.attr(n, "ID"),
		version:      d.attr(n, "Version"),
		issueInstant: d.requiredTime(n, "IssueInstant"),
		inResponseTo: d.optional(n, "InResponseTo"),
		destination:  d.optional(n, "Destination"),
		issuer:       d.issuer(n),
	}
	st := d.one(n, xmltree.Protocol, "Status")
	if !st.OK() {
		return r, d.err
	}
	if m := d.one(st, xmltree.Protocol, "StatusMessage"); m.OK() {
		r.status.message = m.Text()
	}
	code := d.one(st, xmltree.Protocol, "StatusCode")
	r.status.code = d.attr(code, "Value")
	for code.OK() {
		if code = d.one(code, xmltree.Protocol, "StatusCode"); code.OK() {
			r.status.nested = append(r.status.nested, d.attr(code, "Value"))
		}
	}
	return r, d.err
}

// decodeAssertion reads a signed assertion, and decrypts its encrypted parts.
func (v *verification) decodeAssertion(n xmltree.Node) (*assertion, error) {
	d := decoder{v: v, signed: n}
	a := &assertion{
		id:           d.attr(n, "ID"),
		version:      d.attr(n, "Version"),
		issueInstant: d.requiredTime(n, "IssueInstant"),
		issuer:       d.issuer(n),
	}
	if s := d.one(n, xmltree.Assertion, "Subject"); s.OK() {
		d.subject(a, s)
	}
	if c := d.one(n, xmltree.Assertion, "Conditions"); c.OK() {
		d.conditions(&a.conditions, c)
	}
	for s := n.Child(xmltree.Assertion, "AuthnStatement"); s.OK(); s = s.NextSame() {
		a.authn = append(a.authn, d.authnStatement(s))
	}
	d.attributeStatements(a, n)
	return a, d.err
}

func (d *decoder) subject(a *assertion, s xmltree.Node) {
	if s.Child(xmltree.Assertion, "BaseID").OK() {
		d.fail(unknownBaseID())
		return
	}
	name := d.one(s, xmltree.Assertion, "NameID")
	if e := d.one(s, xmltree.Assertion, "EncryptedID"); e.OK() {
		if name.OK() {
			d.fail(&Error{Reason: ReasonNameID, Detail: "a Subject has both a NameID and an EncryptedID"})
		}
		name = d.decrypt(e, "NameID")
	}
	if name.OK() {
		a.nameID, a.hasNameID = d.nameID(name), true
	}
	for c := s.Child(xmltree.Assertion, "SubjectConfirmation"); c.OK(); c = c.NextSame() {
		conf := confirmation{method: d.attr(c, "Method")}
		if data := d.one(c, xmltree.Assertion, "SubjectConfirmationData"); data.OK() {
			conf.recipient = d.attr(data, "Recipient")
			conf.inResponseTo = d.optional(data, "InResponseTo")
			conf.notBefore = d.optionalTime(data, "NotBefore")
			conf.notOnOrAfter = d.optionalTime(data, "NotOnOrAfter")
		}
		a.confirmations = append(a.confirmations, conf)
	}
}

// unknownBaseID returns the error for a BaseID, whose type is defined outside SAML
// (Core 2.2.1).
func unknownBaseID() *Error { return &Error{Reason: ReasonNameID, Detail: "BaseID is not supported"} }

func (d *decoder) nameID(n xmltree.Node) NameID {
	return NameID{
		Value:           d.text(n),
		Format:          d.attr(n, "Format"),
		NameQualifier:   d.attr(n, "NameQualifier"),
		SPNameQualifier: d.attr(n, "SPNameQualifier"),
		SPProvidedID:    d.attr(n, "SPProvidedID"),
	}
}

func (d *decoder) conditions(c *conditions, n xmltree.Node) {
	c.notBefore = d.optionalTime(n, "NotBefore")
	c.notOnOrAfter = d.optionalTime(n, "NotOnOrAfter")
	for child := n.First(); child.OK(); child = child.Next() {
		_, retyped := child.AttrNS(xmltree.XSI, "type")
		switch {
		case retyped: // a condition of another type, whatever its name
			c.unknown = append(c.unknown, child.Local()+" with an xsi:type")
		case child.Is(xmltree.Assertion, "AudienceRestriction"):
			audiences := []string{}
			for a := child.First(); a.OK(); a = a.Next() {
				if !a.Is(xmltree.Assertion, "Audience") {
					c.unknown = append(c.unknown, a.Name())
				}
				audiences = append(audiences, d.uri(a))
			}
			c.audiences = append(c.audiences, audiences)
		case child.Is(xmltree.Assertion, "OneTimeUse"):
			c.oneTimeUse = true
		case child.Is(xmltree.Assertion, "ProxyRestriction"):
			c.proxy = true
			c.proxyCount = d.attr(child, "Count")
		default:
			c.unknown = append(c.unknown, child.Name())
		}
	}
}

func (d *decoder) authnStatement(n xmltree.Node) authnStatement {
	return authnStatement{
		instant:             d.requiredTime(n, "AuthnInstant"),
		sessionIndex:        d.attr(n, "SessionIndex"),
		sessionNotOnOrAfter: d.optionalTime(n, "SessionNotOnOrAfter"),
		classRef:            d.authnContext(n),
	}
}

// authnContext returns the class reference of an AuthnStatement. The statement must
// have one AuthnContext (Core 2.7.2), with a class or a declaration (2.7.2.2). A URI
// is never empty (1.3.2).
func (d *decoder) authnContext(n xmltree.Node) string {
	c := d.one(n, xmltree.Assertion, "AuthnContext")
	if !c.OK() {
		d.fail(&Error{Reason: ReasonSchema, Detail: "an AuthnStatement has no AuthnContext (Core 2.7.2)"})
		return ""
	}
	ref := d.one(c, xmltree.Assertion, "AuthnContextClassRef")
	if !ref.OK() {
		decl, ref := c.Child(xmltree.Assertion, "AuthnContextDecl"), c.Child(xmltree.Assertion, "AuthnContextDeclRef")
		if !decl.OK() && !ref.OK() {
			const detail = "an AuthnContext has neither class nor declaration (Core 2.7.2.2)"
			d.fail(&Error{Reason: ReasonSchema, Detail: detail})
		}
		return ""
	}
	class := d.uri(ref)
	if class == "" {
		d.fail(&Error{Reason: ReasonSchema, Detail: "an AuthnContextClassRef is empty (Core 1.3.2)"})
	}
	return class
}
