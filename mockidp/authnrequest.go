package mockidp

import (
	"bytes"
	"cmp"
	"encoding/xml"
	"errors"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	nsProtocol  = "urn:oasis:names:tc:SAML:2.0:protocol"
	nsAssertion = "urn:oasis:names:tc:SAML:2.0:assertion"
	nsMetadata  = "urn:oasis:names:tc:SAML:2.0:metadata"
	nsSignature = "http://www.w3.org/2000/09/xmldsig#"
)

// authnRequest is what is read of an AuthnRequest (SAML Core 3.4.1).
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
	NameIDFormat *string           // NameIDPolicy's; nil if absent
	Context      *requestedContext // nil if absent
	Subject      *requestedSubject // nil if absent
	Enveloped    bool              // it holds a ds:Signature, which nothing is said about yet

	verified bool // it is what the service provider signed
}

const (
	maxDepth      = 32
	maxAttributes = 64
	maxClasses    = 20 // of a RequestedAuthnContext
)

// messageID is an xs:ID as people really make them, plus those that begin with a digit.
var messageID = regexp.MustCompile(`^[A-Za-z0-9_.:-]{1,256}$`)

// parseAuthnRequest reads the whole document once, token by token, so that
// nothing is taken from a place other than the one it belongs in.
func parseAuthnRequest(doc []byte) (*authnRequest, *Error) {
	doc, e := withoutMark(doc)
	if e != nil {
		return nil, e
	}
	d := xml.NewDecoder(bytes.NewReader(doc))
	d.Strict, d.CharsetReader = true, onlyUTF8
	p := requestParser{}
	for {
		tok, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, malformed(err, "SAMLRequest is not XML")
		}
		if e := p.token(tok); e != nil {
			return nil, e
		}
	}
	if p.req == nil {
		return nil, malformed(nil, "SAMLRequest holds no element")
	}
	p.req.HasIssuer = p.seen["Issuer"]
	return p.req, nil
}

// requestParser knows where it is. Texts are read in three places only: the
// Issuer, the classes of RequestedAuthnContext, and the Subject's NameID.
type requestParser struct {
	depth     int
	req       *authnRequest
	seen      map[string]bool // children of the AuthnRequest that may be there once
	inContext bool            // inside RequestedAuthnContext
	inSubject bool            // inside Subject
	reading   string          // the element whose text is being read, or ""
	text      strings.Builder
}

func (p *requestParser) token(tok xml.Token) *Error {
	switch t := tok.(type) {
	case xml.Directive:
		return malformed(nil, "SAMLRequest holds a DOCTYPE or another declaration")
	case xml.ProcInst:
		if t.Target != "xml" || p.req != nil {
			return malformed(nil, "SAMLRequest holds a processing instruction")
		}
	case xml.Comment:
		if p.reading != "" {
			return malformed(nil, "the %s holds a comment", p.reading)
		}
	case xml.CharData:
		if p.depth == 0 && len(bytes.TrimSpace(t)) > 0 {
			return malformed(nil, "SAMLRequest is not XML, or holds text outside its element")
		}
		if p.reading != "" {
			p.text.Write(t)
		}
	case xml.StartElement:
		return p.start(t)
	case xml.EndElement:
		return p.end()
	}
	return nil
}

func (p *requestParser) start(t xml.StartElement) *Error {
	p.depth++
	if p.depth > maxDepth || len(t.Attr) > maxAttributes {
		return malformed(nil, "SAMLRequest is deeper than %d elements, or has over %d attributes in one", maxDepth, maxAttributes)
	}
	if e := uniqueAttributes(t); e != nil {
		return e
	}
	switch {
	case p.depth == 1 && p.req != nil:
		return malformed(nil, "SAMLRequest holds two elements at its top")
	case p.depth == 1 && (t.Name != xml.Name{Space: nsProtocol, Local: "AuthnRequest"}):
		return &Error{Reason: ReasonMalformed, Detail: "SAMLRequest holds another element", Want: nsProtocol + " AuthnRequest", Got: t.Name.Space + " " + t.Name.Local}
	case p.depth == 1:
		req, e := readAttributes(t.Attr)
		p.req, p.seen = req, map[string]bool{}
		return e
	case p.reading != "":
		return malformed(nil, "the %s holds the element %s", p.reading, quote(t.Name.Local))
	case p.depth == 2:
		return p.child(t)
	case p.depth == 3 && p.inContext:
		return p.contextChild(t)
	case p.depth == 3 && p.inSubject:
		return p.subjectChild(t)
	}
	return nil
}

// child reads what the AuthnRequest holds that changes the answer. Whatever
// else may be in it, such as Scoping, doesn't.
func (p *requestParser) child(t xml.StartElement) *Error {
	switch t.Name {
	case xml.Name{Space: nsAssertion, Local: "Issuer"}:
		p.read("Issuer")
	case xml.Name{Space: nsProtocol, Local: "NameIDPolicy"}:
		if f := attribute(t, "Format"); f != "" {
			p.req.NameIDFormat = &f
		}
	case xml.Name{Space: nsProtocol, Local: "RequestedAuthnContext"}:
		c := &requestedContext{comparison: cmp.Or(attribute(t, "Comparison"), "exact")}
		if !slices.Contains([]string{"exact", "minimum", "maximum", "better"}, c.comparison) {
			return &Error{Reason: ReasonMalformed, Detail: "RequestedAuthnContext's Comparison", Want: "exact, minimum, maximum or better", Got: c.comparison}
		}
		p.req.Context, p.inContext = c, true
	case xml.Name{Space: nsAssertion, Local: "Subject"}:
		p.req.Subject, p.inSubject = &requestedSubject{}, true
	case xml.Name{Space: nsSignature, Local: "Signature"}:
		p.req.Enveloped = true
		return nil
	default:
		return nil
	}
	if p.seen[t.Name.Local] {
		return malformed(nil, "the AuthnRequest has two elements %s", t.Name.Local)
	}
	p.seen[t.Name.Local] = true
	return nil
}

// contextChild reads a RequestedAuthnContext (SAML Core 3.3.2.2.1).
func (p *requestParser) contextChild(t xml.StartElement) *Error {
	switch t.Name {
	case xml.Name{Space: nsAssertion, Local: "AuthnContextClassRef"}:
		if len(p.req.Context.classes) == maxClasses {
			return malformed(nil, "the RequestedAuthnContext has over %d classes", maxClasses)
		}
		p.read("AuthnContextClassRef")
	case xml.Name{Space: nsAssertion, Local: "AuthnContextDeclRef"}:
		p.req.Context.declared = true
	}
	return nil
}

func (p *requestParser) read(name string) {
	p.reading = name
	p.text.Reset()
}

func (p *requestParser) end() *Error {
	text := strings.TrimSpace(p.text.String())
	switch p.reading {
	case "Issuer":
		p.req.Issuer = text
	case "AuthnContextClassRef":
		p.req.Context.classes = append(p.req.Context.classes, text)
	case "NameID":
		p.req.Subject.value = p.text.String() // compared byte for byte
	}
	if p.depth == 2 && p.inContext {
		p.inContext = false
		if c := p.req.Context; len(c.classes) == 0 && !c.declared {
			return malformed(nil, "the RequestedAuthnContext is empty")
		}
	}
	if p.depth == 2 {
		p.inSubject = false
	}
	p.reading = ""
	p.depth--
	return nil
}

func attribute(t xml.StartElement, name string) string {
	for _, a := range t.Attr {
		if a.Name == (xml.Name{Local: name}) {
			return a.Value
		}
	}
	return ""
}

// uniqueAttributes makes up for encoding/xml, which lets duplicates pass.
func uniqueAttributes(t xml.StartElement) *Error {
	seen := map[xml.Name]bool{}
	for _, a := range t.Attr {
		if seen[a.Name] {
			return malformed(nil, "the attribute %s is there twice", quote(a.Name.Local))
		}
		seen[a.Name] = true
	}
	return nil
}

// readAttributes judges those of the AuthnRequest itself. None of them is in a namespace.
func readAttributes(attrs []xml.Attr) (*authnRequest, *Error) {
	req, version, instant := &authnRequest{}, "", ""
	for _, a := range attrs {
		if a.Name.Space != "" {
			continue
		}
		var err error
		v := a.Value
		switch a.Name.Local {
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
			n16 := uint16(n)
			req.ACSIndex = &n16
		case "ProtocolBinding":
			if v != bindingPOST {
				return nil, &Error{Reason: ReasonBinding, Detail: "the request wants its answer by another binding", Want: bindingPOST, Got: v}
			}
		case "ForceAuthn":
			req.ForceAuthn, err = xmlBool(v)
		case "IsPassive":
			req.IsPassive, err = xmlBool(v)
		}
		if err != nil {
			return nil, &Error{Reason: ReasonMalformed, Detail: "the AuthnRequest's " + a.Name.Local + " can't be read", Got: v, Err: err}
		}
	}
	return checkHead(req, version, instant)
}

// checkHead is SAML Core 3.2.1: what every request has.
func checkHead(req *authnRequest, version, instant string) (*authnRequest, *Error) {
	if version != "2.0" {
		return nil, &Error{Reason: ReasonMalformed, Detail: "the AuthnRequest's Version", Want: "2.0", Got: version}
	}
	if !messageID.MatchString(req.ID) {
		return nil, &Error{Reason: ReasonMalformed, Detail: "the AuthnRequest's ID", Want: "1 to 256 of A-Z a-z 0-9 _ . : -", Got: req.ID}
	}
	t, err := time.Parse(time.RFC3339Nano, instant)
	if err != nil {
		return nil, &Error{Reason: ReasonMalformed, Detail: "the AuthnRequest's IssueInstant", Want: "2006-01-02T15:04:05Z", Got: instant}
	}
	req.Instant = t
	return req, nil
}

// xmlBool is xs:boolean, whose four words differ from strconv.ParseBool's.
func xmlBool(s string) (bool, error) {
	switch strings.TrimSpace(s) {
	case "true", "1":
		return true, nil
	case "false", "0":
		return false, nil
	}
	return false, errors.New("not true, false, 1 or 0")
}
