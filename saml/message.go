package saml

import (
	"errors"
	"fmt"
	"strings"

	"github.com/meridian-saml/meridian/saml/internal/dsig"
	"github.com/meridian-saml/meridian/saml/internal/xmltree"
)

// message is a parsed Response. Nothing in it is verified: it is used only to refuse
// the message and to find the signatures.
type message struct {
	root      xmltree.Node // the Response
	response  *response    // its own values
	assertion xmltree.Node // exactly one of these two is set,
	encrypted xmltree.Node // directly in the Response

	responseSignature  *dsig.Envelope // nil if there is none
	assertionSignature *dsig.Envelope // likewise

	// The ArtifactResponse around the Response, its values and its signature. They are
	// not set for a Response that the browser posted.
	artifactResponse  xmltree.Node
	around            *response
	artifactSignature *dsig.Envelope
}

// parse parses the document, which must be a samlp:Response, or have one in an
// ArtifactResponse. It is parsed only once.
func (v *verification) parse(doc string) (*message, error) {
	if v.artifact != nil {
		return v.parseArtifactResponse(doc)
	}
	tree, err := xmltree.Parse(doc, v.cfg.Limits.tree(xmltree.Name{NS: xmltree.Protocol, Local: "Response"}))
	if err != nil {
		return nil, fromTree(err)
	}
	return &message{root: tree.Root()}, nil
}

// readResponse refuses children that the schema doesn't allow in a Response (Core
// 3.3.3).
func (m *message) readResponse() error {
	for c := m.root.First(); c.OK(); c = c.Next() {
		known := c.Is(xmltree.Assertion, "Issuer") || c.Is(xmltree.Signature, "Signature") ||
			c.Is(xmltree.Protocol, "Extensions") || c.Is(xmltree.Protocol, "Status") ||
			c.Is(xmltree.Assertion, "Assertion") || c.Is(xmltree.Assertion, "EncryptedAssertion")
		if !known {
			return &Error{Reason: ReasonNotResponse, Detail: "unexpected element in the Response", Got: c.Name()}
		}
	}
	var err error
	m.response, err = decodeResponse(m.root)
	return err
}

// checkStatus runs before the signatures are verified. Identity providers often
// don't sign a failure, and a forged failure signs no user in. All codes are
// reported.
func (r *response) checkStatus() error {
	status := r.status
	if status.code == statusSuccess && len(status.nested) == 0 {
		return nil
	}
	return &Error{
		Reason: ReasonStatus, Want: statusSuccess, Got: status.String(),
		Status: append([]string{status.code}, status.nested...),
	}
}

// findAssertion requires exactly one assertion in the whole document, directly in
// the Response. A wrapped or nested assertion, or one in an Advice, counts as a
// second one.
func (m *message) findAssertion() error {
	var assertions, encrypted, responses int
	m.root.Doc().Root().Walk(func(n xmltree.Node) {
		switch {
		case n.Is(xmltree.Assertion, "Assertion"):
			assertions++
			m.assertion = n
		case n.Is(xmltree.Assertion, "EncryptedAssertion"):
			encrypted++
			m.encrypted = n
		case n.Is(xmltree.Protocol, "Response"):
			responses++
		}
	})
	switch {
	case assertions+encrypted != 1:
		got := fmt.Sprintf("%d assertions and %d encrypted ones", assertions, encrypted)
		return &Error{Reason: ReasonAssertionCount, Want: "1", Got: got}
	case responses != 1:
		return &Error{Reason: ReasonAssertionCount, Detail: "one Response", Want: "1", Got: fmt.Sprint(responses)}
	case assertions == 1 && m.assertion.Parent() != m.root, encrypted == 1 && m.encrypted.Parent() != m.root:
		return &Error{Reason: ReasonAssertionCount, Detail: "the assertion is not directly in the Response"}
	}
	return nil
}

// fromTree translates an error of package xmltree, whose text has quoted values
// already.
func fromTree(err error) *Error {
	var e *xmltree.Error
	if !errors.As(err, &e) {
		return &Error{Reason: ReasonXML, Err: err}
	}
	detail := strings.TrimPrefix(e.Error(), "xmltree: ")
	switch e.Reason {
	case xmltree.Root:
		return &Error{Reason: ReasonNotResponse, Want: "{" + nsProtocol + "}Response", Got: e.Name}
	case xmltree.Limit:
		return &Error{Reason: ReasonLimit, Detail: detail}
	case xmltree.Text:
		return &Error{Reason: ReasonText, Detail: detail}
	case xmltree.Duplicate:
		return &Error{Reason: ReasonID, Detail: detail}
	}
	return &Error{Reason: ReasonXML, Detail: detail}
}
