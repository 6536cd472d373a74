package mockidp

import (
	"cmp"
	"encoding/xml"
	"errors"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/beevik/etree"
)

const (
	nsProtocol  = "urn:oasis:names:tc:SAML:2.0:protocol"
	nsAssertion = "urn:oasis:names:tc:SAML:2.0:assertion"
	nsMetadata  = "urn:oasis:names:tc:SAML:2.0:metadata"
	nsSignature = "http://www.w3.org/2000/09/xmldsig#"
)

// authnRequest holds what the Server reads of an AuthnRequest (SAML Core 3.4.1).
type authnRequest struct {
	ID           string
	Issuer       string
	HasIssuer    bool
	Instant      time.Time
	Destination  string  // "" if absent
	ACSURL       *string // nil if absent
	ACSIndex     *uint16 // nil if absent
	ForceAuthn   bool
	IsPassive    bool
	NameIDFormat *string           // of NameIDPolicy; nil if absent
	Context      *requestedContext // nil if absent
	Subject      *requestedSubject // nil if absent
	Enveloped    bool              // it holds a ds:Signature, verified or not

	verified bool // it was read from what the service provider signed
}

const (
	maxDepth      = 32
	maxAttributes = 64
	maxClasses    = 20 // of a RequestedAuthnContext
)

// messageID accepts an xs:ID of common characters, and also one that begins with a digit.
var messageID = regexp.MustCompile(`^[A-Za-z0-9_.:-]{1,256}$`)

// parseAuthnRequest reads each value only at the place where the schema has it. Elements that don't change the
// answer, such as Scoping, are ignored.
func parseAuthnRequest(doc []byte) (*authnRequest, *Error) {
	root, err := parseRequestXML(doc)
	if err != nil {
		return nil, err
	}
	if name := nameOf(root); name != (xml.Name{Space: nsProtocol, Local: "AuthnRequest"}) {
		return nil, mismatch(ReasonMalformed, nsProtocol+" AuthnRequest", name.Space+" "+name.Local,
			"SAMLRequest holds another element")
	}
	req, err := readAttributes(root.Attr)
	if err != nil {
		return nil, err
	}
	seen := map[xml.Name]bool{}
	for el := range root.ChildElementsSeq() {
		known, err := req.readChild(el)
		if err != nil {
			return nil, err
		}
		if name := nameOf(el); known && seen[name] {
			return nil, malformed(nil, "the AuthnRequest has two elements %s", name.Local)
		}
		seen[nameOf(el)] = true
	}
	return req, nil
}

// parseRequestXML parses a document of one element, without declarations, processing instructions and duplicate
// attributes, and no deeper or wider than the bounds above.
func parseRequestXML(doc []byte) (*etree.Element, *Error) {
	doc, err := withoutMark(doc)
	if err != nil {
		return nil, err
	}
	tree := etree.NewDocument()
	tree.ReadSettings = etree.ReadSettings{CharsetReader: onlyUTF8, PreserveDuplicateAttrs: true, MaxDepth: maxDepth}
	if err := tree.ReadFromBytes(doc); err != nil {
		return nil, malformed(err, "SAMLRequest is not XML")
	}
	roots := tree.ChildElements()
	for _, t := range tree.Child {
		if text, ok := t.(*etree.CharData); ok && strings.TrimSpace(text.Data) != "" {
			return nil, malformed(nil, "SAMLRequest is not XML, or holds text outside its element")
		}
		if p, ok := t.(*etree.ProcInst); ok && p.Target == "xml" && len(roots) > 0 && p.Index() < roots[0].Index() {
			continue // the XML declaration
		}
		if err := checkToken(t); err != nil {
			return nil, err
		}
	}
	switch len(roots) {
	case 0:
		return nil, malformed(nil, "SAMLRequest holds no element")
	case 1:
		return roots[0], nil
	}
	return nil, malformed(nil, "SAMLRequest holds two root elements")
}

func checkToken(t etree.Token) *Error {
	switch t := t.(type) {
	case *etree.Directive:
		return malformed(nil, "SAMLRequest holds a DOCTYPE or another declaration")
	case *etree.ProcInst:
		return malformed(nil, "SAMLRequest holds a processing instruction")
	case *etree.Element:
		if len(t.Attr) > maxAttributes {
			return malformed(nil, "an element of SAMLRequest has over %d attributes", maxAttributes)
		}
		seen := map[xml.Name]bool{}
		for _, a := range t.Attr {
			name := xml.Name{Space: cmp.Or(a.NamespaceURI(), a.Space), Local: a.Key}
			if seen[name] {
				return malformed(nil, "duplicate attribute %s", quote(a.Key))
			}
			seen[name] = true
		}
		for _, c := range t.Child {
			if err := checkToken(c); err != nil {
				return err
			}
		}
	}
	return nil
}

func nameOf(el *etree.Element) xml.Name { return xml.Name{Space: el.NamespaceURI(), Local: el.Tag} }

// attribute returns the value of an attribute in no namespace, or "".
func attribute(el *etree.Element, name string) string {
	for _, a := range el.Attr {
		if a.Space == "" && a.Key == name {
			return a.Value
		}
	}
	return ""
}

// textOf returns the text of an element that holds nothing else.
func textOf(el *etree.Element) (string, *Error) {
	for _, t := range el.Child {
		if _, ok := t.(*etree.CharData); !ok {
			return "", malformed(nil, "the %s holds an element or a comment", el.Tag)
		}
	}
	return el.Text(), nil
}

// readChild reads a child of the AuthnRequest. known says that it may occur only once.
func (r *authnRequest) readChild(el *etree.Element) (known bool, err *Error) {
	switch nameOf(el) {
	case xml.Name{Space: nsAssertion, Local: "Issuer"}:
		r.HasIssuer = true
		r.Issuer, err = textOf(el)
		r.Issuer = strings.TrimSpace(r.Issuer)
	case xml.Name{Space: nsProtocol, Local: "NameIDPolicy"}:
		if f := attribute(el, "Format"); f != "" {
			r.NameIDFormat = &f
		}
	case xml.Name{Space: nsProtocol, Local: "RequestedAuthnContext"}:
		r.Context, err = readContext(el)
	case xml.Name{Space: nsAssertion, Local: "Subject"}:
		r.Subject, err = readSubject(el)
	case xml.Name{Space: nsSignature, Local: "Signature"}:
		r.Enveloped = true
		return false, nil
	default:
		return false, nil
	}
	return true, err
}

// readContext reads a RequestedAuthnContext (SAML Core 3.3.2.2.1).
func readContext(el *etree.Element) (*requestedContext, *Error) {
	c := &requestedContext{comparison: cmp.Or(attribute(el, "Comparison"), "exact")}
	if !slices.Contains([]string{"exact", "minimum", "maximum", "better"}, c.comparison) {
		return nil, mismatch(ReasonMalformed, "exact, minimum, maximum or better", c.comparison,
			"unknown Comparison of the RequestedAuthnContext")
	}
	for child := range el.ChildElementsSeq() {
		switch nameOf(child) {
		case xml.Name{Space: nsAssertion, Local: "AuthnContextClassRef"}:
			class, err := textOf(child)
			if err != nil {
				return nil, err
			}
			c.classes = append(c.classes, strings.TrimSpace(class))
		case xml.Name{Space: nsAssertion, Local: "AuthnContextDeclRef"}:
			c.declared = true
		}
	}
	if len(c.classes) > maxClasses {
		return nil, malformed(nil, "the RequestedAuthnContext has over %d classes", maxClasses)
	}
	if len(c.classes) == 0 && !c.declared {
		return nil, malformed(nil, "the RequestedAuthnContext is empty")
	}
	return c, nil
}

// readAttributes reads the attributes of the AuthnRequest element, none of which is in a namespace.
func readAttributes(attrs []etree.Attr) (*authnRequest, *Error) {
	req, version, instant := &authnRequest{}, "", ""
	for _, a := range attrs {
		if a.Space != "" {
			continue
		}
		var err error
		v := a.Value
		switch a.Key {
		case "ID":
			req.ID = v
		case "Version":
			version = v
		case "IssueInstant":
			instant = v
		case "Destination":
			req.Destination = v
		case "AssertionConsumerServiceURL":
			req.ACSURL = &v
		case "AssertionConsumerServiceIndex":
			var n uint64
			n, err = strconv.ParseUint(v, 10, 16)
			req.ACSIndex = new(uint16(n))
		case "ProtocolBinding":
			if v != bindingPOST {
				return nil, mismatch(ReasonBinding, bindingPOST, v, "the request asks for its answer by another binding")
			}
		case "ForceAuthn":
			req.ForceAuthn, err = xmlBool(v)
		case "IsPassive":
			req.IsPassive, err = xmlBool(v)
		}
		if err != nil {
			return nil, &Error{Reason: ReasonMalformed, Detail: "invalid " + a.Key + " of the AuthnRequest", Got: v, Err: err}
		}
	}
	return checkHead(req, version, instant)
}

// checkHead checks what every request has (SAML Core 3.2.1).
func checkHead(req *authnRequest, version, instant string) (*authnRequest, *Error) {
	if version != "2.0" {
		return nil, mismatch(ReasonMalformed, "2.0", version, "unsupported Version of the AuthnRequest")
	}
	if !messageID.MatchString(req.ID) {
		return nil, mismatch(ReasonMalformed, "1 to 256 of A-Z a-z 0-9 _ . : -", req.ID, "invalid ID of the AuthnRequest")
	}
	t, err := time.Parse(time.RFC3339Nano, instant)
	if err != nil {
		return nil, mismatch(ReasonMalformed, "2006-01-02T15:04:05Z", instant, "invalid IssueInstant of the AuthnRequest")
	}
	req.Instant = t
	return req, nil
}

// xmlBool parses an xs:boolean, which has fewer spellings than strconv.ParseBool accepts.
func xmlBool(s string) (bool, error) {
	switch strings.TrimSpace(s) {
	case "true", "1":
		return true, nil
	case "false", "0":
		return false, nil
	}
	return false, errors.New("not true, false, 1 or 0")
}
