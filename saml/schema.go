package saml

import (
	"fmt"
	"strings"
	"time"

	"github.com/meridian-saml/meridian/saml/internal/xmltree"
)

// This file reads the parts of a message by the schema: what may stand once
// stands at most once, what is required is there, a time is a time. What the
// values mean is for the rules.

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
	inResponseTo *string // nil where the attribute is absent
	destination  *string // likewise
	issuer       *issuer
	status       status
	signed       bool
}

type issuer struct{ value, format string }

// status is a StatusCode with the codes nested in it, outermost first.
type status struct {
	codes   []string
	message string
}

func (s status) String() string {
	if len(s.codes) == 0 {
		return "no StatusCode"
	}
	text := strings.Join(s.codes, " > ")
	if s.message != "" {
		text += " (" + clip(s.message) + ")"
	}
	return text
}

// assertion is an Assertion as it was signed (Core 2.3.3).
type assertion struct {
	id, version   string
	issueInstant  time.Time
	issuer        issuer
	nameID        *NameID
	confirmations []*confirmation
	conditions    conditions
	authn         []authnStatement
	attributes    []Attribute
}

// confirmation is a SubjectConfirmation with its data (Core 2.4.1.1, 2.4.1.2).
type confirmation struct {
	method       string
	hasData      bool
	recipient    string
	inResponseTo *string
	notBefore    *time.Time
	notOnOrAfter *time.Time
}

// conditions is Core 2.5.1.
type conditions struct {
	present      bool
	notBefore    *time.Time
	notOnOrAfter *time.Time
	audiences    [][]string // one list a restriction
	oneTimeUse   bool
	proxyCount   *string
	proxy        bool
	unknown      []string
}

// authnStatement is Core 2.7.2.
type authnStatement struct {
	instant             time.Time
	sessionIndex        string
	sessionNotOnOrAfter *time.Time
	classRef            string
}

func decodeResponse(n *xmltree.Node) (*response, error) {
	d := decoder{}
	r := &response{
		id:           d.attr(n, "ID"),
		version:      d.attr(n, "Version"),
		issueInstant: d.requiredTime(n, "IssueInstant"),
	}
	if id, ok := n.Attr("InResponseTo"); ok {
		r.inResponseTo = &id
	}
	if destination, ok := n.Attr("Destination"); ok {
		r.destination = &destination
	}
	if i := d.one(n, nsAssertion, "Issuer"); i != nil {
		r.issuer = &issuer{value: d.text(i), format: d.attr(i, "Format")}
	}
	st := d.one(n, nsProtocol, "Status")
	if st == nil {
		return r, d.err
	}
	if m := d.one(st, nsProtocol, "StatusMessage"); m != nil {
		r.status.message = m.Text
	}
	for code := d.one(st, nsProtocol, "StatusCode"); code != nil; code = d.one(code, nsProtocol, "StatusCode") {
		r.status.codes = append(r.status.codes, d.attr(code, "Value"))
	}
	return r, d.err
}

func decodeAssertion(n *xmltree.Node) (*assertion, error) {
	d := decoder{}
	a := &assertion{
		id:           d.attr(n, "ID"),
		version:      d.attr(n, "Version"),
		issueInstant: d.requiredTime(n, "IssueInstant"),
	}
	if i := d.one(n, nsAssertion, "Issuer"); i != nil {
		a.issuer = issuer{value: d.text(i), format: d.attr(i, "Format")}
	}
	if s := d.one(n, nsAssertion, "Subject"); s != nil {
		d.subject(a, s)
	}
	if c := d.one(n, nsAssertion, "Conditions"); c != nil {
		d.conditions(&a.conditions, c)
	}
	for _, s := range n.All(nsAssertion, "AuthnStatement") {
		a.authn = append(a.authn, d.authnStatement(s))
	}
	for _, s := range n.All(nsAssertion, "AttributeStatement") {
		d.attributeStatement(a, s)
	}
	return a, d.err
}

func (d *decoder) subject(a *assertion, s *xmltree.Node) {
	if len(s.All(nsAssertion, "BaseID")) > 0 {
		d.fail(&Error{Reason: ReasonNameID, Detail: "a BaseID is of no type that is known here"})
		return
	}
	if len(s.All(nsAssertion, "EncryptedID")) > 0 {
		d.fail(&Error{Reason: ReasonEncrypted, Detail: "an EncryptedID is not supported yet"})
		return
	}
	a.nameID = d.nameID(d.one(s, nsAssertion, "NameID"))
	for _, c := range s.All(nsAssertion, "SubjectConfirmation") {
		conf := &confirmation{method: d.attr(c, "Method")}
		if data := d.one(c, nsAssertion, "SubjectConfirmationData"); data != nil {
			conf.hasData = true
			conf.recipient = d.attr(data, "Recipient")
			conf.notBefore = d.optionalTime(data, "NotBefore")
			conf.notOnOrAfter = d.optionalTime(data, "NotOnOrAfter")
			if id, ok := data.Attr("InResponseTo"); ok {
				conf.inResponseTo = &id
			}
		}
		a.confirmations = append(a.confirmations, conf)
	}
}

func (d *decoder) nameID(n *xmltree.Node) *NameID {
	if n == nil {
		return nil
	}
	return &NameID{
		Value:           d.text(n),
		Format:          d.attr(n, "Format"),
		NameQualifier:   d.attr(n, "NameQualifier"),
		SPNameQualifier: d.attr(n, "SPNameQualifier"),
		SPProvidedID:    d.attr(n, "SPProvidedID"),
	}
}

func (d *decoder) conditions(c *conditions, n *xmltree.Node) {
	c.present = true
	c.notBefore = d.optionalTime(n, "NotBefore")
	c.notOnOrAfter = d.optionalTime(n, "NotOnOrAfter")
	for _, child := range n.Children {
		_, retyped := child.AttrNS(nsXSI, "type")
		switch {
		case retyped: // whatever it is called, it is some other condition
			c.unknown = append(c.unknown, child.Local+" with an xsi:type")
		case child.Is(nsAssertion, "AudienceRestriction"):
			audiences := []string{}
			for _, a := range child.Children {
				if !a.Is(nsAssertion, "Audience") {
					c.unknown = append(c.unknown, "{"+a.Space+"}"+a.Local)
				}
				audiences = append(audiences, d.text(a))
			}
			c.audiences = append(c.audiences, audiences)
		case child.Is(nsAssertion, "OneTimeUse"):
			c.oneTimeUse = true
		case child.Is(nsAssertion, "ProxyRestriction"):
			c.proxy = true
			if count, ok := child.Attr("Count"); ok {
				c.proxyCount = &count
			}
		default:
			c.unknown = append(c.unknown, "{"+child.Space+"}"+child.Local)
		}
	}
}

func (d *decoder) authnStatement(n *xmltree.Node) authnStatement {
	s := authnStatement{
		instant:             d.requiredTime(n, "AuthnInstant"),
		sessionIndex:        d.attr(n, "SessionIndex"),
		sessionNotOnOrAfter: d.optionalTime(n, "SessionNotOnOrAfter"),
	}
	if c := d.one(n, nsAssertion, "AuthnContext"); c != nil {
		if ref := d.one(c, nsAssertion, "AuthnContextClassRef"); ref != nil {
			s.classRef = d.text(ref)
		}
	}
	return s
}

// attributeStatement joins values of equal Name and NameFormat in document
// order: some identity providers write one Attribute element a value.
func (d *decoder) attributeStatement(a *assertion, n *xmltree.Node) {
	if len(n.All(nsAssertion, "EncryptedAttribute")) > 0 {
		d.fail(&Error{Reason: ReasonEncrypted, Detail: "an EncryptedAttribute is not supported yet"})
		return
	}
	if d.attributes == nil {
		d.attributes = make(map[attributeKey]int)
	}
	for _, c := range n.All(nsAssertion, "Attribute") {
		k := attributeKey{d.attr(c, "Name"), d.attr(c, "NameFormat")}
		i, ok := d.attributes[k]
		if !ok {
			i = len(a.attributes)
			d.attributes[k] = i
			a.attributes = append(a.attributes, Attribute{Name: k.name, NameFormat: k.format, FriendlyName: d.attr(c, "FriendlyName")})
		}
		for _, value := range c.All(nsAssertion, "AttributeValue") {
			a.attributes[i].Values = append(a.attributes[i].Values, attributeValue(value))
		}
	}
}

// attributeValue keeps a value that holds elements as elements: flattened to a
// string it would be some other value.
func attributeValue(n *xmltree.Node) AttributeValue {
	if nilled, _ := n.AttrNS(nsXSI, "nil"); nilled == "true" || nilled == "1" {
		return AttributeValue{Nil: true}
	}
	if len(n.Children) == 0 {
		return AttributeValue{Text: n.Text}
	}
	var v AttributeValue
	for _, c := range n.Children {
		v.Elements = append(v.Elements, element(c))
	}
	return v
}

func element(n *xmltree.Node) Element {
	e := Element{Namespace: n.Space, Name: n.Local, Text: n.Text}
	for _, a := range n.Attrs {
		e.Attributes = append(e.Attributes, ElementAttribute{Namespace: a.Space, Name: a.Local, Value: a.Value})
	}
	for _, c := range n.Children {
		e.Elements = append(e.Elements, element(c))
	}
	return e
}

// decoder keeps the first thing that was wrong, so that reading can be written
// as a list of what is read.
type decoder struct {
	err        error
	attributes map[attributeKey]int // where each stands in assertion.attributes
}

type attributeKey struct{ name, format string }

func (d *decoder) fail(err error) {
	if d.err == nil {
		d.err = err
	}
}

func (d *decoder) attr(n *xmltree.Node, name string) string {
	value, _ := n.Attr(name)
	return value
}

// one gives the child of that name, nil if there is none. Two are refused:
// whoever takes the first and whoever takes the last would read two messages.
func (d *decoder) one(n *xmltree.Node, space, local string) *xmltree.Node {
	all := n.All(space, local)
	if len(all) > 1 {
		d.fail(&Error{Reason: ReasonNotResponse, Detail: fmt.Sprintf("%d times %s in %s", len(all), local, n.Local)})
	}
	if len(all) == 0 {
		return nil
	}
	return all[0]
}

// text gives the text of an element that may hold nothing else.
func (d *decoder) text(n *xmltree.Node) string {
	if len(n.Children) > 0 {
		d.fail(&Error{Reason: ReasonText, Detail: "an element inside the text of " + n.Local})
	}
	return n.Text
}

func (d *decoder) requiredTime(n *xmltree.Node, name string) time.Time {
	t := d.optionalTime(n, name)
	if t == nil {
		d.fail(&Error{Reason: ReasonTime, Detail: n.Local + " has no " + name})
		return time.Time{}
	}
	return *t
}

func (d *decoder) optionalTime(n *xmltree.Node, name string) *time.Time {
	value, ok := n.Attr(name)
	if !ok {
		return nil
	}
	t, err := parseInstant(value)
	if err != nil {
		d.fail(&Error{Reason: ReasonTime, Detail: n.Local + "/@" + name + " is not an xs:dateTime", Got: value})
		return nil
	}
	return &t
}
