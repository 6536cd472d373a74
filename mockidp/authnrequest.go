package mockidp

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"regexp"
	"strconv"
	"strings"
	"time"
)

const (
	nsProtocol  = "urn:oasis:names:tc:SAML:2.0:protocol"
	nsAssertion = "urn:oasis:names:tc:SAML:2.0:assertion"
	nsMetadata  = "urn:oasis:names:tc:SAML:2.0:metadata"
)

// authnRequest is what is read of an AuthnRequest (SAML Core 3.4.1). What it
// may hold besides, such as NameIDPolicy, doesn't change the answer, as with
// unsigned requests at Okta.
type authnRequest struct {
	ID          string
	Issuer      string
	Destination string  // "" if absent
	ACSURL      *string // nil if absent
	ACSIndex    *uint16 // nil if absent
	ForceAuthn  bool
	IsPassive   bool
}

const (
	maxDepth      = 32
	maxAttributes = 64
)

// messageID is an xs:ID as people really make them, plus those that begin with a digit.
var messageID = regexp.MustCompile(`^[A-Za-z0-9_.:-]{1,256}$`)

// parseAuthnRequest reads the whole document once, token by token, so that
// nothing is taken from a place other than the one it belongs in.
func parseAuthnRequest(doc []byte) (*authnRequest, *Error) {
	d := xml.NewDecoder(bytes.NewReader(doc))
	d.Strict = true
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
	if !p.issuerSeen {
		return nil, malformed(nil, "the AuthnRequest has no Issuer (SAML Profiles 4.1.4.1)")
	}
	p.req.Issuer = strings.TrimSpace(p.issuer.String())
	return p.req, nil
}

type requestParser struct {
	depth      int
	req        *authnRequest
	issuerSeen bool
	inIssuer   bool
	issuer     strings.Builder
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
		if p.inIssuer {
			return malformed(nil, "the Issuer holds a comment")
		}
	case xml.CharData:
		if p.depth == 0 && len(bytes.TrimSpace(t)) > 0 {
			return malformed(nil, "SAMLRequest holds text outside its element")
		}
		if p.inIssuer {
			p.issuer.Write(t)
		}
	case xml.StartElement:
		return p.start(t)
	case xml.EndElement:
		p.depth--
		p.inIssuer = false
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
		p.req = req
		return e
	case p.inIssuer:
		return malformed(nil, "the Issuer holds the element %s", quote(t.Name.Local))
	case p.depth == 2 && t.Name == xml.Name{Space: nsAssertion, Local: "Issuer"}:
		if p.issuerSeen {
			return malformed(nil, "the AuthnRequest has two Issuers")
		}
		p.issuerSeen, p.inIssuer = true, true
	}
	return nil
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
	return req, checkHead(req.ID, version, instant)
}

// checkHead is SAML Core 3.2.1: what every request has.
func checkHead(id, version, instant string) *Error {
	if version != "2.0" {
		return &Error{Reason: ReasonMalformed, Detail: "the AuthnRequest's Version", Want: "2.0", Got: version}
	}
	if !messageID.MatchString(id) {
		return &Error{Reason: ReasonMalformed, Detail: "the AuthnRequest's ID", Want: "1 to 256 of A-Z a-z 0-9 _ . : -", Got: id}
	}
	if _, err := time.Parse(time.RFC3339Nano, instant); err != nil {
		return &Error{Reason: ReasonMalformed, Detail: "the AuthnRequest's IssueInstant", Want: "2006-01-02T15:04:05Z", Got: instant}
	}
	return nil
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
