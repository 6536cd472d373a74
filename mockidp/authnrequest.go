package mockidp

import (
	"cmp"
	"encoding/xml"
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
	Binding      string  // ProtocolBinding; "" if absent
	ForceAuthn   bool
	IsPassive    bool
	NameIDFormat *string           // of NameIDPolicy; nil if absent
	SPQualifier  string            // SPNameQualifier of NameIDPolicy; "" if absent
	Context      *requestedContext // nil if absent
	Subject      *requestedSubject // nil if absent
	Confirmed    bool              // the Subject holds a SubjectConfirmation, which Profiles 4.1.4.1 forbids
	Enveloped    bool              // it holds a ds:Signature, verified or not

	verified bool // it was read from signed data
}

const (
	maxDepth      = 32
	maxAttributes = 64
	maxClasses    = 20 // of a RequestedAuthnContext
)

// messageID accepts an xs:ID of common characters, and also one that begins with a digit.
var messageID = regexp.MustCompile(`^[A-Za-z0-9_.:-]{1,256}$`)

// parseAuthnRequest reads each value only at its place in the schema, and ignores others, such as Scoping, Extensions
// and AttributeConsumingServiceIndex.
func parseAuthnRequest(doc []byte) (*authnRequest, *Error) {
	root, err := parseRequestXML(doc)
	if err != nil {
		return nil, err
	}
	if name := nameOf(root); name != (xml.Name{Space: nsProtocol, Local: "AuthnRequest"}) {
		return nil, mismatch(ReasonMalformed, nsProtocol+" AuthnRequest", name.Space+" "+name.Local,
			"SAMLRequest holds another element")
	}
	req, err := readAttributes(attributes(root))
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

// attributes returns the attributes that are in no namespace.
func attributes(el *etree.Element) map[string]string {
	out := map[string]string{}
	for _, a := range el.Attr {
		if a.Space == "" {
			out[a.Key] = a.Value
		}
	}
	return out
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
		attrs := attributes(el)
		if f := attrs["Format"]; f != "" {
			r.NameIDFormat = &f
		}
		r.SPQualifier = attrs["SPNameQualifier"]
	case xml.Name{Space: nsProtocol, Local: "RequestedAuthnContext"}:
		r.Context, err = readContext(el)
	case xml.Name{Space: nsAssertion, Local: "Subject"}:
		err = r.readSubject(el)
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
	c := &requestedContext{comparison: cmp.Or(attributes(el)["Comparison"], "exact")}
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

func readAttributes(attrs map[string]string) (*authnRequest, *Error) {
	bad := func(name, want string) (*authnRequest, *Error) {
		return nil, mismatch(ReasonMalformed, want, attrs[name], "invalid %s of the AuthnRequest", name)
	}
	req := &authnRequest{ID: attrs["ID"], Destination: attrs["Destination"]}
	if attrs["Version"] != "2.0" {
		return bad("Version", "2.0")
	}
	if !messageID.MatchString(req.ID) {
		return bad("ID", "1 to 256 of A-Z a-z 0-9 _ . : -")
	}
	var err error
	if req.Instant, err = time.Parse(time.RFC3339Nano, attrs["IssueInstant"]); err != nil {
		return bad("IssueInstant", "2006-01-02T15:04:05Z")
	}
	if v, ok := attrs["ProtocolBinding"]; ok {
		if req.Binding = v; v != bindingPOST && v != bindingArtifact {
			return nil, mismatch(ReasonBinding, bindingPOST, v, "the request asks for its answer by another binding")
		}
	}
	if v, ok := attrs["AssertionConsumerServiceURL"]; ok {
		req.ACSURL = &v
	}
	if v, ok := attrs["AssertionConsumerServiceIndex"]; ok {
		n, err := strconv.ParseUint(v, 10, 16)
		if err != nil {
			return bad("AssertionConsumerServiceIndex", "0 to 65535")
		}
		req.ACSIndex = new(uint16(n))
	}
	for name, flag := range map[string]*bool{"ForceAuthn": &req.ForceAuthn, "IsPassive": &req.IsPassive} {
		switch v, ok := attrs[name]; strings.TrimSpace(v) {
		case "true", "1":
			*flag = true
		case "false", "0":
		default:
			if ok {
				return bad(name, "true, false, 1 or 0")
			}
		}
	}
	return req, nil
}
